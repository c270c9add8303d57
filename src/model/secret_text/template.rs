//! Text with places for the parts of a key, such as the value of an environment variable: `ApiKey {encoded}`.

use zeroize::Zeroizing;

use crate::model::secret::Secret;

/// A part of a key that a template names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `base64(id:api_key)`, as clients take it.
    Encoded,
    /// The id.
    Id,
    /// The secret alone.
    ApiKey,
    /// The name.
    Name,
    /// The address of the cluster.
    Url,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 5] = [Self::Encoded, Self::Id, Self::ApiKey, Self::Name, Self::Url];

    /// Returns the word that stands for the part in braces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Encoded => "encoded",
            Self::Id => "id",
            Self::ApiKey => "api_key",
            Self::Name => "name",
            Self::Url => "url",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part(Part),
}

/// Text with places for the parts of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Default for Template {
    /// The encoded key alone.
    fn default() -> Self {
        Self(vec![Piece::Part(Part::Encoded)])
    }
}

impl Template {
    /// Reads a template: `{encoded}` and its kind are places, `{{` and `}}` are braces.
    ///
    /// # Errors
    /// As the end of a sentence: for a place that is not known, and for a brace alone.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let place = brace.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((word, after)) = place else { return Err("a brace alone is written twice, as {{ or }}".into()) };
            let part = Part::ALL.into_iter().find(|part| part.word() == word).ok_or_else(|| {
                let known: Vec<String> = Part::ALL.iter().map(|part| format!("{{{}}}", part.word())).collect();
                format!("there is no {{{word}}}; available: {}", known.join(", "))
            })?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Part(part));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// Returns `true` if the template names a part.
    pub fn has(&self, part: Part) -> bool {
        self.0.contains(&Piece::Part(part))
    }

    /// Returns the text with each part in its place.
    pub fn fill<'v>(&self, value: impl Fn(Part) -> &'v str) -> Secret {
        let texts = || {
            self.0.iter().map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Part(part) => value(*part),
            })
        };
        // As long as it will be: a text that grows leaves a secret behind in memory.
        let mut filled = Zeroizing::new(String::with_capacity(texts().map(str::len).sum()));
        texts().for_each(|text| filled.push_str(text));
        Secret::new(std::mem::take(&mut *filled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let value = |part: Part| match part {
            Part::Encoded => "aWQ6a2V5",
            Part::Id => "id",
            Part::ApiKey => "key",
            Part::Name => "na{id}me",
            Part::Url => "https://es:9200",
        };
        Template::parse(text).map(|template| template.fill(value).expose().to_owned())
    }

    #[test]
    fn each_part_has_its_place_and_braces_are_written_twice() {
        for (text, expected) in [
            ("{encoded}", "aWQ6a2V5"),
            ("ApiKey {encoded}", "ApiKey aWQ6a2V5"),
            ("{id}:{api_key}", "id:key"),
            ("{{\"id\":\"{id}\"}}", "{\"id\":\"id\"}"),
            ("{name}", "na{id}me"),
            ("{url}/", "https://es:9200/"),
            ("", ""),
            ("plain", "plain"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(Template::parse("{encoded}"), Ok(Template::default()));
    }

    #[test]
    fn an_unknown_place_names_the_known_ones() {
        assert!(filled("{secret}").is_err_and(|why| why.contains("{secret}") && why.contains("{api_key}")));
        for text in ["{", "}", "{id", "a}b", "{id}}", "{{id}"] {
            assert!(filled(text).is_err(), "{text}");
        }
    }
}
