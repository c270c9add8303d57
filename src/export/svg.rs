//! A timeline as a scalable picture: SVG, with a title for each bar.

use std::fmt::Write;

use crate::model::text::xml::escaped;

/// A bar: its title, its height as a number of keys, its color as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgBar {
    /// Title, such as "118 keys on Wed 23 Dec".
    pub words: String,
    /// Label below the bar, if any.
    pub label: Option<String>,
    /// Number of keys, which determines the height.
    pub count: usize,
    /// Color as `#rrggbb`.
    pub color: String,
}

/// Colors of everything but the bars, as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgInk {
    /// Color of the background.
    pub ground: String,
    /// Color of the title.
    pub title: String,
    /// Color of labels and lines.
    pub quiet: String,
}

const WIDTH: f32 = 1180.0;
const HEIGHT: f32 = 260.0;
const TOP: f32 = 56.0;
const FOOT: f32 = 34.0;
const SIDE: f32 = 24.0;

/// Draws the timeline as SVG.
pub fn timeline(title: &str, bars: &[SvgBar], ink: &SvgInk) -> String {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1) as f32;
    let step = (WIDTH - 2.0 * SIDE) / bars.len().max(1) as f32;
    let base = HEIGHT - FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"Inter, sans-serif\">\n<title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{}\"/>\n<text x=\"{SIDE}\" y=\"34\" font-size=\"15\" font-weight=\"600\" fill=\"{}\">{title}</text>\n<line x1=\"{SIDE}\" y1=\"{base}\" x2=\"{}\" y2=\"{base}\" stroke=\"{}\"/>\n",
        ink.ground,
        ink.title,
        WIDTH - SIDE,
        ink.quiet,
        title = escaped(title),
    );
    for (at, bar) in bars.iter().enumerate() {
        let x = SIDE + at as f32 * step;
        if bar.count > 0 {
            let height = ((base - TOP) * bar.count as f32 / most).max(1.5);
            // Writing to a text never fails.
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"1.5\" fill=\"{}\"><title>{}</title></rect>",
                base - height,
                (step - 2.0).max(0.5),
                bar.color,
                escaped(&bar.words),
            );
        }
        if let Some(label) = &bar.label {
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"{}\">{}</text>",
                base + 18.0,
                ink.quiet,
                escaped(label),
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_bar_for_each_count_and_no_markup_of_others() {
        let ink = SvgInk { ground: "#fff".into(), title: "#000".into(), quiet: "#888".into() };
        let bar = |count| SvgBar { words: "<a> & \"b\"".into(), label: None, count, color: "#123456".into() };
        let svg = timeline("x<y", &[bar(3), bar(0), SvgBar { label: Some("Today".into()), ..bar(1) }], &ink);
        assert_eq!(svg.matches("#123456").count(), 2);
        assert!(svg.contains("&lt;a&gt; &amp; &quot;b&quot;") && svg.contains(">Today<") && !svg.contains("<a>"));
        assert!(timeline("", &[], &ink).ends_with("</svg>\n"));
    }
}
