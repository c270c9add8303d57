//! The colors of the three themes, with the names of the design tokens. This is the only file with literal colors.

use eframe::egui::Color32;

const fn rgb(value: u32) -> Color32 {
    Color32::from_rgb((value >> 16) as u8, (value >> 8) as u8, value as u8)
}

/// Creates a color with alpha, premultiplied by hand, for scrims and shadows, which are black in every theme.
const fn veil(value: u32) -> Color32 {
    let alpha = value & 0xff;
    Color32::from_rgba_premultiplied(
        (((value >> 24) & 0xff) * alpha / 255) as u8,
        (((value >> 16) & 0xff) * alpha / 255) as u8,
        (((value >> 8) & 0xff) * alpha / 255) as u8,
        alpha as u8,
    )
}

/// Backgrounds.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    pub canvas: Color32,
    pub surface: Color32,
    pub raised: Color32,
    pub overlay: Color32,
    pub sunken: Color32,
    pub hover: Color32,
    pub pressed: Color32,
    pub selected: Color32,
    pub selected_hover: Color32,
    pub field: Color32,
    pub badge: Color32,
    pub segment: Color32,
    pub scrim: Color32,
}

/// Text.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub primary: Color32,
    pub secondary: Color32,
    pub tertiary: Color32,
    pub disabled: Color32,
    pub on_solid: Color32,
    pub on_mark: Color32,
    pub link: Color32,
}

/// Lines.
#[derive(Clone, Copy, Debug)]
pub struct Strokes {
    pub divider: Color32,
    pub card: Color32,
    pub control: Color32,
    pub focus: Color32,
}

/// The one blue.
#[derive(Clone, Copy, Debug)]
pub struct Accent {
    pub solid: Color32,
    pub solid_hover: Color32,
    pub solid_pressed: Color32,
    pub text: Color32,
    pub mark: Color32,
    pub tint: Color32,
}

/// Red, for destructive actions and failures.
#[derive(Clone, Copy, Debug)]
pub struct Danger {
    pub solid: Color32,
    pub solid_hover: Color32,
    pub solid_pressed: Color32,
    pub text: Color32,
    pub tint: Color32,
    pub edge: Color32,
}

/// Text, background and edge of a banner.
#[derive(Clone, Copy, Debug)]
pub struct Tint {
    pub text: Color32,
    pub tint: Color32,
    pub edge: Color32,
}

/// Marks and bars of the statuses, and text that needs attention.
#[derive(Clone, Copy, Debug)]
pub struct StatusColors {
    pub active: Color32,
    pub expiring_soon: Color32,
    pub expiring: Color32,
    pub expired: Color32,
    pub never: Color32,
    pub invalidated: Color32,
    pub expiring_soon_text: Color32,
    pub expiring_text: Color32,
    pub expired_text: Color32,
    pub track: Color32,
}

/// Environments: strip and chip, text, tint.
#[derive(Clone, Copy, Debug)]
pub struct EnvironmentColors {
    pub production: Color32,
    pub production_text: Color32,
    pub production_tint: Color32,
    pub staging: Color32,
    pub staging_text: Color32,
    pub staging_tint: Color32,
    pub development: Color32,
    pub development_text: Color32,
    pub development_tint: Color32,
}

/// Shadows of floating elements.
#[derive(Clone, Copy, Debug)]
pub struct Shadows {
    pub popup: Color32,
    pub float: Color32,
    pub dialog: Color32,
}

/// Syntax colors of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    pub key: Color32,
    pub string: Color32,
    pub number: Color32,
    pub punct: Color32,
}

/// One theme.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "named by the design tokens")]
pub struct Palette {
    /// `true` if light text is on a dark background.
    pub dark: bool,
    /// Width of hairlines, in points.
    pub hair: f32,
    pub surface: Surface,
    pub text: Text,
    pub stroke: Strokes,
    pub accent: Accent,
    pub danger: Danger,
    pub warning: Tint,
    pub success: Tint,
    pub info: Tint,
    pub status: StatusColors,
    pub environment: EnvironmentColors,
    pub shadow: Shadows,
    pub code: Code,
}

/// The dark theme.
pub const DARK: Palette = Palette {
    dark: true,
    hair: 1.0,
    surface: Surface {
        canvas: rgb(0x0d0f13),
        surface: rgb(0x13161b),
        raised: rgb(0x1a1e25),
        overlay: rgb(0x20252d),
        sunken: rgb(0x0a0c0f),
        hover: rgb(0x1d222a),
        pressed: rgb(0x272d37),
        selected: rgb(0x182540),
        selected_hover: rgb(0x1d2c4c),
        field: rgb(0x0a0c0f),
        badge: rgb(0x262c36),
        segment: rgb(0x20252d),
        scrim: veil(0x0507_0ab8),
    },
    text: Text {
        primary: rgb(0xe9ebef),
        secondary: rgb(0xb3bac5),
        tertiary: rgb(0x8f98a6),
        disabled: rgb(0x68717f),
        on_solid: rgb(0xffffff),
        on_mark: rgb(0x0d0f13),
        link: rgb(0x8ab4ff),
    },
    stroke: Strokes { divider: rgb(0x21262e), card: rgb(0x2a303a), control: rgb(0x646f7f), focus: rgb(0x8ab4ff) },
    accent: Accent {
        solid: rgb(0x2f66dd),
        solid_hover: rgb(0x3b6fe2),
        solid_pressed: rgb(0x2757c2),
        text: rgb(0x8ab4ff),
        mark: rgb(0x5b8ff5),
        tint: rgb(0x17233c),
    },
    danger: Danger {
        solid: rgb(0xcf3239),
        solid_hover: rgb(0xd63b43),
        solid_pressed: rgb(0xb3282f),
        text: rgb(0xff8a87),
        tint: rgb(0x2c1618),
        edge: rgb(0x6d2b2e),
    },
    warning: Tint { text: rgb(0xf2bd4b), tint: rgb(0x272011), edge: rgb(0x5f4a1c) },
    success: Tint { text: rgb(0x5fd0a0), tint: rgb(0x11261f), edge: rgb(0x1f5341) },
    info: Tint { text: rgb(0x8ab4ff), tint: rgb(0x152036), edge: rgb(0x2b4372) },
    status: StatusColors {
        active: rgb(0x45a886),
        expiring_soon: rgb(0xf0c95c),
        expiring: rgb(0xf7873a),
        expired: rgb(0xf0525c),
        never: rgb(0xb49af8),
        invalidated: rgb(0x8690a0),
        expiring_soon_text: rgb(0xf2bd4b),
        expiring_text: rgb(0xff9d63),
        expired_text: rgb(0xff8a87),
        track: rgb(0x2b313b),
    },
    environment: EnvironmentColors {
        production: rgb(0xc22b72),
        production_text: rgb(0xff9cc9),
        production_tint: rgb(0x2d1022),
        staging: rgb(0x2e93b3),
        staging_text: rgb(0x7fd3ec),
        staging_tint: rgb(0x0f222a),
        development: rgb(0x7d8797),
        development_text: rgb(0xb3bac5),
        development_tint: rgb(0x171b21),
    },
    shadow: Shadows { popup: veil(0x0000_0070), float: veil(0x0000_0080), dialog: veil(0x0000_00a0) },
    code: Code { key: rgb(0x8ab4ff), string: rgb(0x8fd6b4), number: rgb(0xf2bd4b), punct: rgb(0x8f98a6) },
};

/// The light theme.
pub const LIGHT: Palette = Palette {
    dark: false,
    hair: 1.0,
    surface: Surface {
        canvas: rgb(0xf3f4f6),
        surface: rgb(0xffffff),
        raised: rgb(0xffffff),
        overlay: rgb(0xffffff),
        sunken: rgb(0xf6f7f9),
        hover: rgb(0xf3f5f8),
        pressed: rgb(0xe6e9ee),
        selected: rgb(0xe8f0fe),
        selected_hover: rgb(0xdce8fd),
        field: rgb(0xffffff),
        badge: rgb(0xeceef2),
        segment: rgb(0xffffff),
        scrim: veil(0x1b22_305c),
    },
    text: Text {
        primary: rgb(0x15181e),
        secondary: rgb(0x454d5a),
        tertiary: rgb(0x636c7a),
        disabled: rgb(0x858d9a),
        on_solid: rgb(0xffffff),
        on_mark: rgb(0xffffff),
        link: rgb(0x1f55c4),
    },
    stroke: Strokes { divider: rgb(0xe7e9ed), card: rgb(0xdde0e6), control: rgb(0x848d9b), focus: rgb(0x1f55c4) },
    accent: Accent {
        solid: rgb(0x2459cf),
        solid_hover: rgb(0x1d4fbd),
        solid_pressed: rgb(0x1843a3),
        text: rgb(0x1f55c4),
        mark: rgb(0x2e66e0),
        tint: rgb(0xedf3ff),
    },
    danger: Danger {
        solid: rgb(0xc42a31),
        solid_hover: rgb(0xb0242b),
        solid_pressed: rgb(0x991d23),
        text: rgb(0xb4232a),
        tint: rgb(0xfdf0f0),
        edge: rgb(0xefc0c1),
    },
    warning: Tint { text: rgb(0x855600), tint: rgb(0xfdf6e3), edge: rgb(0xe8d29a) },
    success: Tint { text: rgb(0x0f6b4c), tint: rgb(0xebf7f1), edge: rgb(0xb3dcc9) },
    info: Tint { text: rgb(0x1f55c4), tint: rgb(0xeff4ff), edge: rgb(0xc3d5fa) },
    status: StatusColors {
        active: rgb(0x2f8f6f),
        expiring_soon: rgb(0xae7a00),
        expiring: rgb(0xb54200),
        expired: rgb(0xc01f3a),
        never: rgb(0x7250cf),
        invalidated: rgb(0x69727f),
        expiring_soon_text: rgb(0x855600),
        expiring_text: rgb(0xa94705),
        expired_text: rgb(0xb4232a),
        track: rgb(0xe4e7ec),
    },
    environment: EnvironmentColors {
        production: rgb(0xb3195f),
        production_text: rgb(0xa31457),
        production_tint: rgb(0xfcebf3),
        staging: rgb(0x1c7391),
        staging_text: rgb(0x14607a),
        staging_tint: rgb(0xe8f5fa),
        development: rgb(0x69727f),
        development_text: rgb(0x454d5a),
        development_tint: rgb(0xf3f4f6),
    },
    shadow: Shadows { popup: veil(0x1018_281f), float: veil(0x1018_282e), dialog: veil(0x1018_283d) },
    code: Code { key: rgb(0x1f55c4), string: rgb(0x0f6b4c), number: rgb(0x855600), punct: rgb(0x636c7a) },
};

/// The high contrast theme.
pub const HIGH_CONTRAST: Palette = Palette {
    dark: true,
    hair: 2.0,
    surface: Surface {
        canvas: rgb(0x000000),
        surface: rgb(0x000000),
        raised: rgb(0x000000),
        overlay: rgb(0x000000),
        sunken: rgb(0x000000),
        hover: rgb(0x1c1c1c),
        pressed: rgb(0x2b2b2b),
        selected: rgb(0x00264d),
        selected_hover: rgb(0x003366),
        field: rgb(0x000000),
        badge: rgb(0x000000),
        segment: rgb(0x00264d),
        scrim: veil(0x0000_00d9),
    },
    text: Text {
        primary: rgb(0xffffff),
        secondary: rgb(0xffffff),
        tertiary: rgb(0xd9d9d9),
        disabled: rgb(0xa6a6a6),
        on_solid: rgb(0x000000),
        on_mark: rgb(0x000000),
        link: rgb(0x8fd3ff),
    },
    stroke: Strokes { divider: rgb(0x8c8c8c), card: rgb(0xffffff), control: rgb(0xffffff), focus: rgb(0xffe600) },
    accent: Accent {
        solid: rgb(0x8fd3ff),
        solid_hover: rgb(0xb8e3ff),
        solid_pressed: rgb(0x66c2ff),
        text: rgb(0x8fd3ff),
        mark: rgb(0x8fd3ff),
        tint: rgb(0x00264d),
    },
    danger: Danger {
        solid: rgb(0xff9d9d),
        solid_hover: rgb(0xffbdbd),
        solid_pressed: rgb(0xff8080),
        text: rgb(0xff9d9d),
        tint: rgb(0x000000),
        edge: rgb(0xff9d9d),
    },
    warning: Tint { text: rgb(0xffd34d), tint: rgb(0x000000), edge: rgb(0xffd34d) },
    success: Tint { text: rgb(0x5cf0b4), tint: rgb(0x000000), edge: rgb(0x5cf0b4) },
    info: Tint { text: rgb(0x8fd3ff), tint: rgb(0x000000), edge: rgb(0x8fd3ff) },
    status: StatusColors {
        active: rgb(0x3df5a5),
        expiring_soon: rgb(0xffe08a),
        expiring: rgb(0xff9f45),
        expired: rgb(0xff9aa8),
        never: rgb(0xcdb6ff),
        invalidated: rgb(0xd9d9d9),
        expiring_soon_text: rgb(0xffd34d),
        expiring_text: rgb(0xffab5e),
        expired_text: rgb(0xff9d9d),
        track: rgb(0x595959),
    },
    environment: EnvironmentColors {
        production: rgb(0xff9cc9),
        production_text: rgb(0xff9cc9),
        production_tint: rgb(0x000000),
        staging: rgb(0x7fd3ec),
        staging_text: rgb(0x7fd3ec),
        staging_tint: rgb(0x000000),
        development: rgb(0xffffff),
        development_text: rgb(0xffffff),
        development_tint: rgb(0x000000),
    },
    shadow: Shadows { popup: veil(0x0000_0000), float: veil(0x0000_0000), dialog: veil(0x0000_0000) },
    code: Code { key: rgb(0x8fd3ff), string: rgb(0x5cf0b4), number: rgb(0xffd34d), punct: rgb(0xffffff) },
};
