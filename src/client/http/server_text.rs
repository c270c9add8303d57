//! Text from the server or from what stands in front of it, made fit to be shown.

use serde_json::Value;

use crate::model::text::sanitize;

/// Maximum length of a reason in characters: enough for the list of known privileges that Elasticsearch sends along.
const MAX_REASON_CHARS: usize = 4000;

/// Formats server text: made harmless, and cut to a maximum length.
pub(crate) fn shown(text: &str) -> String {
    sanitize::shortened(text.trim(), MAX_REASON_CHARS)
}

/// Returns the last reason along `caused_by`: the outer ones only say that something failed.
pub(crate) fn deepest_reason(error: &Value) -> Option<String> {
    let mut at = error;
    let mut reason = at["reason"].as_str();
    while at["caused_by"].is_object() {
        at = &at["caused_by"];
        reason = at["reason"].as_str().filter(|text| !text.is_empty()).or(reason);
    }
    reason.map(str::to_owned)
}

/// Describes a body that is no answer of Elasticsearch, such as “an empty response” or the title of a page.
pub(crate) fn looks_like(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
    let text = start.trim();
    if text.is_empty() {
        return "an empty response".into();
    }
    if text.starts_with('<') {
        return match title(text) {
            Some(title) => format!("a page titled “{}”", sanitize::shortened(&title, 120)),
            None => "a page without a title".into(),
        };
    }
    if text.starts_with(['{', '[']) {
        let product = ["OpenSearch", "Kibana", "CouchDB"]
            .into_iter()
            .find(|name| text.get(..2000).unwrap_or(text).to_lowercase().contains(&name.to_lowercase()));
        return product.map_or_else(|| "other JSON".into(), |name| format!("{name} responds"));
    }
    let line = text.lines().next().unwrap_or_default();
    format!("the text “{}”", sanitize::shortened(line, 120))
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let words: Vec<&str> = page[start..end].split_whitespace().collect();
    let title = words.join(" ").replace("&amp;", "&").replace("&ndash;", "–").replace("&#39;", "'");
    (!title.is_empty()).then_some(title)
}
