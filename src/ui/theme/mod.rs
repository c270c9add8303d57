//! The look of everything: type, spacing, colors. Nothing outside of this folder names a color or a font; views ask for
//! "small text in the tertiary color" and get it in the current theme.

#[expect(missing_docs, reason = "each is the name of its glyph")]
pub mod icons;
mod palette;

use std::sync::Arc;

use eframe::egui::{
    self, Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, RichText, Stroke, TextFormat,
    TextStyle, Theme,
    epaint::{Shadow, text::FontTweak},
    vec2,
};

pub use palette::Palette;

/// Spacing, in points: multiples of 4.
#[expect(missing_docs, reason = "named by the design tokens")]
pub mod space {

    pub const XXS: f32 = 2.0;
    pub const XS: f32 = 4.0;
    pub const S: f32 = 8.0;
    pub const M: f32 = 12.0;
    pub const L: f32 = 16.0;
    pub const XL: f32 = 24.0;
    pub const XXL: f32 = 32.0;
}

/// Sizes, in points.
#[expect(missing_docs, reason = "named by the design tokens")]
pub mod size {

    pub const ROW: f32 = 32.0;
    pub const ROW_HEADER: f32 = 32.0;
    pub const CONTROL: f32 = 32.0;
    pub const CONTROL_SMALL: f32 = 26.0;
    pub const CONTROL_LARGE: f32 = 40.0;
    pub const CHECKBOX: f32 = 16.0;
    pub const STATUS_MARK: f32 = 10.0;
    pub const BADGE: f32 = 20.0;
    pub const CHIP: f32 = 26.0;
    pub const BAR_WIDTH: f32 = 56.0;
    pub const BAR_HEIGHT: f32 = 4.0;
    pub const TOP_BAR: f32 = 52.0;
    pub const ENV_STRIP: f32 = 3.0;
    pub const RAIL: f32 = 184.0;
    pub const RAIL_COMPACT: f32 = 56.0;
    pub const STATUS_BAR: f32 = 28.0;
    pub const SIDE_PAGE: f32 = 416.0;
    pub const FORM_COLUMN: f32 = 720.0;
    pub const REQUEST_COLUMN: f32 = 520.0;
    pub const DIALOG: f32 = 560.0;
    pub const DIALOG_WIDE: f32 = 880.0;
    pub const ACTION_BAR: f32 = 56.0;
    /// Width of the window below which the rail shows icons only and a side page covers the list, in points.
    pub const COMPACT_BELOW: f32 = 1100.0;
}

/// Radii of corners, in points.
#[expect(missing_docs, reason = "named by the design tokens")]
pub mod radius {

    pub const XS: u8 = 3;
    pub const S: u8 = 4;
    pub const M: u8 = 6;
    pub const L: u8 = 8;
    pub const XL: u8 = 12;
}

/// The rows of the type table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// One number that matters.
    Display,
    /// One per screen, one per dialog.
    Title,
    /// Cards and sections.
    Heading,
    /// Everything else.
    Body,
    /// Names, buttons, values.
    Strong,
    /// Emphasis of one word in a sentence.
    Emphasis,
    /// Help and secondary facts.
    Small,
    /// Labels of fields, headers, chips.
    Label,
    /// Badges and keycaps.
    Micro,
    /// The live sentence.
    Lead,
    /// Emphasis within the live sentence.
    LeadEmphasis,
    /// Patterns within the live sentence.
    LeadMono,
    /// Ids, patterns, JSON.
    Mono,
    /// Emphasis in monospaced text.
    MonoStrong,
    /// The application id in a row.
    MonoSmall,
    /// The secret itself.
    Secret,
    /// An icon beside text.
    Icon,
    /// A small icon, where there is little room.
    IconSmall,
    /// An icon that stands alone.
    IconLarge,
}

impl Type {
    fn measures(self) -> (f32, &'static str, f32) {
        match self {
            Self::Display => (28.0, SEMIBOLD, 34.0),
            Self::Title => (20.0, SEMIBOLD, 28.0),
            Self::Heading => (15.0, SEMIBOLD, 22.0),
            Self::Body => (13.0, REGULAR, 20.0),
            Self::Strong => (13.0, MEDIUM, 20.0),
            Self::Emphasis => (13.0, SEMIBOLD, 20.0),
            Self::Small => (12.0, REGULAR, 16.0),
            Self::Label => (12.0, MEDIUM, 16.0),
            Self::Micro => (11.0, MEDIUM, 14.0),
            Self::Lead => (17.0, REGULAR, 26.0),
            Self::LeadEmphasis => (17.0, SEMIBOLD, 26.0),
            Self::LeadMono => (15.5, MONO, 26.0),
            Self::Mono => (12.0, MONO, 20.0),
            Self::MonoStrong => (12.0, MONO_MEDIUM, 20.0),
            Self::MonoSmall => (11.0, MONO, 16.0),
            Self::Secret => (17.0, MONO_MEDIUM, 28.0),
            Self::Icon => (18.0, ICONS, 20.0),
            Self::IconSmall => (16.0, ICONS, 16.0),
            Self::IconLarge => (24.0, ICONS, 26.0),
        }
    }

    /// Returns the font.
    pub fn font(self) -> FontId {
        let (size, family, _) = self.measures();
        FontId::new(size, FontFamily::Name(family.into()))
    }

    /// Returns the height of a line, in points.
    pub fn line_height(self) -> f32 {
        self.measures().2
    }

    /// Formats a text in this style.
    pub fn rich(self, text: impl Into<String>, color: Color32) -> RichText {
        RichText::new(text).font(self.font()).line_height(Some(self.line_height())).color(color)
    }

    /// Returns the format of a section of a `LayoutJob`.
    pub fn format(self, color: Color32) -> TextFormat {
        TextFormat {
            font_id: self.font(),
            color,
            line_height: Some(self.line_height()),
            valign: egui::Align::Center,
            ..TextFormat::default()
        }
    }
}

const REGULAR: &str = "inter";
const MEDIUM: &str = "inter-medium";
const SEMIBOLD: &str = "inter-semibold";
const MONO: &str = "mono";
const MONO_MEDIUM: &str = "mono-medium";
const ICONS: &str = "icons";

/// Look that the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Look {
    /// Follows the desktop.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// White on black; shapes and text carry all the meaning.
    HighContrast,
}

impl Look {
    /// All looks, in the order of the menu.
    pub const ALL: [Look; 4] = [Self::System, Self::Dark, Self::Light, Self::HighContrast];

    /// Returns the look with this label.
    pub fn named(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|look| look.label() == label)
    }

    /// Returns the label in the menu.
    pub fn label(self) -> &'static str {
        match self {
            Self::System => "Match system",
            Self::Dark => "Dark",
            Self::Light => "Light",
            Self::HighContrast => "High contrast",
        }
    }
}

/// Installs the fonts, and the dark theme until another one is chosen. To be called once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    apply(ctx, Look::System);
}

/// Changes the look of everything.
pub fn apply(ctx: &egui::Context, look: Look) {
    let preference = match look {
        Look::System => egui::ThemePreference::System,
        Look::Light => egui::ThemePreference::Light,
        Look::Dark | Look::HighContrast => egui::ThemePreference::Dark,
    };
    ctx.set_theme(preference);
    ctx.set_style_of(Theme::Light, style(&palette::LIGHT));
    ctx.set_style_of(
        Theme::Dark,
        style(if look == Look::HighContrast { &palette::HIGH_CONTRAST } else { &palette::DARK }),
    );
    ctx.data_mut(|data| data.insert_temp(egui::Id::unique(Look::default()), look));
}

/// Returns the chosen look.
pub fn look(ctx: &egui::Context) -> Look {
    ctx.data(|data| data.get_temp(egui::Id::unique(Look::default()))).unwrap_or_default()
}

/// Returns the colors of the current theme.
pub fn colors(ui: &egui::Ui) -> &'static Palette {
    match (look(ui.ctx()), ui.visuals().dark_mode) {
        (Look::HighContrast, _) => &palette::HIGH_CONTRAST,
        (_, true) => &palette::DARK,
        (_, false) => &palette::LIGHT,
    }
}

/// Returns the colors of the current theme, where there is no `Ui` yet.
pub fn colors_of(ctx: &egui::Context) -> &'static Palette {
    match (look(ctx), ctx.theme()) {
        (Look::HighContrast, _) => &palette::HIGH_CONTRAST,
        (_, Theme::Dark) => &palette::DARK,
        (_, Theme::Light) => &palette::LIGHT,
    }
}

/// Returns the shadow of a dialog.
pub fn dialog_shadow(p: &Palette) -> Shadow {
    shadow(16, 56, p.shadow.dialog)
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files: [(&str, &'static [u8], f32); 6] = [
        (REGULAR, include_bytes!("../../../assets/fonts/Inter-Regular.ttf"), 0.0),
        (MEDIUM, include_bytes!("../../../assets/fonts/Inter-Medium.ttf"), 0.0),
        (SEMIBOLD, include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf"), 0.0),
        (MONO, include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf"), 1.0),
        (MONO_MEDIUM, include_bytes!("../../../assets/fonts/JetBrainsMono-Medium.ttf"), 1.0),
        (ICONS, include_bytes!("../../../assets/fonts/icons.ttf"), 0.0),
    ];
    for (name, bytes, y_offset) in files {
        let mut data = FontData::from_static(bytes);
        data.tweak = FontTweak { y_offset, ..FontTweak::default() };
        fonts.font_data.insert(name.into(), Arc::new(data));
    }
    for name in [REGULAR, MEDIUM, SEMIBOLD, MONO, MONO_MEDIUM] {
        let chain = vec![name.to_owned(), ICONS.to_owned()];
        fonts.families.insert(FontFamily::Name(name.into()), chain);
    }
    let icons = vec![ICONS.to_owned(), REGULAR.to_owned()];
    fonts.families.insert(FontFamily::Name(ICONS.into()), icons);
    fonts.families.insert(FontFamily::Proportional, vec![REGULAR.into(), ICONS.into()]);
    fonts.families.insert(FontFamily::Monospace, vec![MONO.into(), ICONS.into()]);
    fonts
}

fn style(p: &Palette) -> egui::Style {
    let mut style = egui::Style { visuals: visuals(p), animation_time: 0.0, ..egui::Style::default() };
    style.text_styles = [
        (TextStyle::Small, Type::Small),
        (TextStyle::Body, Type::Body),
        (TextStyle::Button, Type::Strong),
        (TextStyle::Heading, Type::Title),
        (TextStyle::Monospace, Type::Mono),
    ]
    .map(|(name, kind)| (name, kind.font()))
    .into();
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style.spacing.item_spacing = vec2(space::S, space::S);
    style.spacing.button_padding = vec2(space::M, 6.0);
    // Every control of ours has its own height; this is the height of a row of text.
    style.spacing.interact_size = vec2(20.0, 20.0);
    style.spacing.menu_margin = Margin::same(4);
    style.spacing.scroll = egui::style::ScrollStyle {
        bar_width: 6.0,
        floating_width: 6.0,
        floating_allocated_width: 0.0,
        ..egui::style::ScrollStyle::floating()
    };
    style.spacing.scroll.dormant_handle_opacity = 0.22;
    style.spacing.scroll.active_handle_opacity = 0.35;
    style.spacing.scroll.interact_handle_opacity = 0.6;
    style.spacing.scroll.active_background_opacity = 0.0;
    style.spacing.scroll.interact_background_opacity = 0.0;
    style.spacing.scroll.dormant_background_opacity = 0.0;
    style.scroll_animation = egui::style::ScrollAnimation::none();
    style
}

fn visuals(p: &Palette) -> egui::Visuals {
    let mut visuals = if p.dark { egui::Visuals::dark() } else { egui::Visuals::light() };
    visuals.override_text_color = None;
    // What lies below a dialog is off; it is dimmed by the scrim of the dialog alone.
    visuals.disabled_alpha = 1.0;
    visuals.panel_fill = p.surface.surface;
    visuals.window_fill = p.surface.overlay;
    visuals.window_stroke = Stroke::new(p.hair, p.stroke.card);
    visuals.window_corner_radius = CornerRadius::same(radius::XL);
    visuals.menu_corner_radius = CornerRadius::same(radius::L);
    visuals.window_shadow = shadow(16, 56, p.shadow.dialog);
    visuals.popup_shadow = shadow(6, 20, p.shadow.popup);
    visuals.extreme_bg_color = p.surface.field;
    visuals.text_edit_bg_color = Some(p.surface.field);
    visuals.faint_bg_color = p.surface.hover;
    visuals.code_bg_color = p.surface.sunken;
    visuals.hyperlink_color = p.text.link;
    visuals.warn_fg_color = p.warning.text;
    visuals.error_fg_color = p.danger.text;
    visuals.selection.bg_fill = p.surface.selected_hover;
    visuals.selection.stroke = Stroke::new(p.hair, p.text.primary);
    visuals.text_cursor.blink = false;
    visuals.text_cursor.stroke = Stroke::new(1.5, p.text.primary);
    let ground = |fill: Color32, edge: Color32, text: Color32| egui::style::WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(p.hair, edge),
        corner_radius: CornerRadius::same(radius::M),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = ground(p.surface.surface, p.stroke.divider, p.text.primary);
    visuals.widgets.inactive = ground(p.surface.overlay, p.stroke.card, p.text.primary);
    visuals.widgets.hovered = ground(p.surface.hover, p.stroke.card, p.text.primary);
    visuals.widgets.active = ground(p.surface.pressed, p.stroke.card, p.text.primary);
    visuals.widgets.open = ground(p.surface.pressed, p.stroke.card, p.text.primary);
    visuals
}

const fn shadow(down: i8, blur: u8, color: Color32) -> Shadow {
    Shadow { offset: [0, down], blur, spread: 0, color }
}
