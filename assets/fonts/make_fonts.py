#!/usr/bin/env python3
"""Makes the fonts, the icon lists and the font licences in this folder.

Needs fontTools and brotli, and four npm packages, each unpacked (`npm pack NAME`, then tar):

    make_fonts.py --inter-ui DIR --jetbrains-mono DIR --jetbrains-licence DIR --material-symbols DIR

inter-ui 4.1.1, jetbrains-mono 1.0.6, @expo-google-fonts/jetbrains-mono 0.4.1 (for the OFL text
alone, which jetbrains-mono lacks), material-symbols 0.47.5. The same input gives the same bytes.
"""

import argparse
import shutil
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).resolve().parent

# Anything outside these ranges comes from the system's fallback font.
RANGES = [
    (0x0020, 0x007E), (0x00A0, 0x024F),  # Latin, Latin-1, Extended-A and -B
    (0x02B0, 0x02FF), (0x0300, 0x036F),  # modifiers and combining marks
    (0x0370, 0x03FF), (0x0400, 0x052F),  # Greek, Cyrillic
    (0x1E00, 0x1EFF),                    # Latin additional: Vietnamese, capital sharp s
    (0x2000, 0x209F), (0x20A0, 0x20CF),  # punctuation, super- and subscripts, currencies
    (0x2100, 0x214F), (0x2190, 0x21FF),  # letterlike, arrows
    (0x2200, 0x22FF), (0x2300, 0x23FF),  # mathematics, keys of keyboards
    (0x2500, 0x25FF), (0x2713, 0x2717),  # boxes, shapes, ticks and crosses
    (0xFFFD, 0xFFFD),
]

# Icons are drawn at 16 and 18; the drawings for 24 fill their box better there than those for 20.
OPTICAL_SIZE = 24

ICONS = """
account_tree add add_circle all_inclusive arrow_back arrow_downward arrow_forward arrow_upward
autorenew block bolt calendar_month cancel check check_circle chevron_left chevron_right close
cloud_off code construction content_copy content_paste contrast dark_mode dashboard data_object
database delete deployed_code description difference download edit encrypted error event event_busy
expand_less expand_more fact_check filter_alt fingerprint flag folder_open gpp_maybe group help
history hub info input key key_off keyboard lan layers light_mode link link_off lock lock_open login
logout menu monitoring more_horiz no_encryption open_in_new password pending person person_check
play_arrow public push_pin radio_button_unchecked refresh remove save schedule science search
sensors settings shield sort space_dashboard stop_circle task_alt terminal timelapse timer tune undo
unfold_more upload_file verified_user view_column visibility visibility_off warning
""".split()


def subset(font, unicodes, features):
    """Keeps what `unicodes` and `features` reach; glyph names go, they are a fifth of the file."""
    options = Options()
    options.layout_features = features
    options.glyph_names = False
    options.notdef_outline = True
    options.hinting = True
    options.name_IDs = ["*"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)


def remap(font, codepoint, glyph):
    """Lets `codepoint` show `glyph` in every Unicode cmap."""
    for table in font["cmap"].tables:
        if table.isUnicode() and (codepoint < 0x10000 or table.format == 12):
            table.cmap[codepoint] = glyph


def single_substitutions(font, tag):
    """What the feature `tag` puts in place of single glyphs."""
    gsub = font["GSUB"].table
    found = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == tag:
            for index in record.Feature.LookupListIndex:
                for sub in gsub.LookupList.Lookup[index].SubTable:
                    found.update(getattr(sub, "ExtSubTable", sub).mapping)
    return found


def tell_of_changes(font, changes):
    """Says in the font itself that it is not the original (OFL and Apache-2.0 both want that told)."""
    font["name"].setName(f"Modified for Keybearer: {changes}.", 10, 3, 1, 0x409)


def write(font, name):
    font.flavor = None
    font.recalcTimestamp = False
    path = HERE / name
    font.save(path)
    print(f"{name}: {path.stat().st_size:,} bytes, {font['maxp'].numGlyphs} glyphs")


def text_codepoints():
    return [c for first, last in RANGES for c in range(first, last + 1)]


def make_inter(package):
    for style in ("Regular", "Medium", "SemiBold"):
        font = TTFont(package / "web" / f"Inter-{style}.woff2", recalcTimestamp=False)
        cmap = font.getBestCmap()
        # egui shapes text but can't ask for a feature, so the tabular figures become the figures.
        # Only the digits: the tabular hyphen, space and brackets are made for tables of sums and
        # would tear names such as "payments-eu" apart; all of them have one width each anyway.
        tabular = single_substitutions(font, "tnum")
        for digit in range(0x30, 0x3A):
            remap(font, digit, tabular[cmap[digit]])
        # Names are drawn with U+2011 so that they don't wrap; it must look and kern as the hyphen.
        remap(font, 0x2011, cmap[0x2D])
        # Without `calt`: it draws "->" as an arrow and the x of "3x4" as a times sign, and what
        # is shown here must be what the cluster says.
        subset(font, text_codepoints(), ["kern", "mark", "mkmk", "ccmp", "locl"])
        tell_of_changes(font, "subset, tabular digits by default, no contextual alternates")
        write(font, f"Inter-{style}.ttf")


def make_mono(package):
    for style in ("Regular", "Medium"):
        # The NL cut: no ligatures, or "://" and "!=" in ids and JSON would run together.
        source = package / "fonts" / "webfonts" / f"JetBrainsMonoNL-{style}.woff2"
        font = TTFont(source, recalcTimestamp=False)
        cmap = font.getBestCmap()
        remap(font, 0x2011, cmap[0x2D])
        # It lacks the narrow spaces too, and in a mono font a space is a space.
        for space in (0x2007, 0x2009, 0x202F):
            remap(font, space, cmap[0x20])
        subset(font, text_codepoints(), [])  # the NL cut has no features
        tell_of_changes(font, "subset, U+2011 and narrow spaces added")
        write(font, f"JetBrainsMono-{style}.ttf")


def icon_glyphs(font):
    """Icon names to glyphs, read from the ligatures which spell the names."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items() if code < 0x80}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for sub in lookup.SubTable:
            sub = getattr(sub, "ExtSubTable", sub)
            for first, ligatures in getattr(sub, "ligatures", {}).items():
                for ligature in ligatures:
                    spelt = [letters.get(g, "?") for g in [first, *ligature.Component]]
                    found["".join(spelt)] = ligature.LigGlyph
    return found


def make_icons(package):
    font = TTFont(package / "material-symbols-rounded.woff2", recalcTimestamp=False)
    by_name = icon_glyphs(font)
    codes = {}
    for code, glyph in sorted(font.getBestCmap().items()):
        if code >= 0xE000:
            codes.setdefault(glyph, []).append(code)
    # Some icons have several codepoints: all stay in the font, the lowest is the one we name.
    chosen = {name: codes[by_name[name]] for name in sorted(set(ICONS))}
    subset(font, [c for many in chosen.values() for c in many], [])
    instancer.instantiateVariableFont(
        font, {"wght": 400, "FILL": 0, "GRAD": 0, "opsz": OPTICAL_SIZE}, inplace=True
    )
    for rest in ("GSUB", "STAT"):  # empty, and axes that are gone
        if rest in font:
            del font[rest]
    # Icons are drawn in a box from 0 to one em. With exactly that as the line, an icon at 18 is
    # 18 high and stands in the middle of whatever it is centred in, without half pixels.
    em = font["head"].unitsPerEm
    hhea, os2 = font["hhea"], font["OS/2"]
    hhea.ascent, hhea.descent, hhea.lineGap = em, 0, 0
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = em, 0, 0
    os2.usWinAscent, os2.usWinDescent = em, 0
    tell_of_changes(font, "subset, static, line height of one em")
    write(font, "icons.ttf")

    lines = [f"{name} {many[0]:x}\n" for name, many in chosen.items()]
    (HERE / "icons.txt").write_text("".join(lines))
    rust = [f'pub const {n.upper()}: &str = "\\u{{{m[0]:x}}}";\n' for n, m in chosen.items()]
    (HERE.parent / "icons.rs.txt").write_text("".join(rust))
    print(f"{len(chosen)} icons")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("inter-ui", "jetbrains-mono", "jetbrains-licence", "material-symbols"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    given = arguments.parse_args()
    make_inter(given.inter_ui)
    make_mono(given.jetbrains_mono)
    make_icons(given.material_symbols)
    shutil.copyfile(given.inter_ui / "LICENSE.txt", HERE / "LICENSE-Inter.txt")
    shutil.copyfile(given.jetbrains_licence / "LICENSE_FONT", HERE / "LICENSE-JetBrainsMono.txt")
    shutil.copyfile(given.material_symbols / "LICENSE", HERE / "LICENSE-MaterialSymbols.txt")


if __name__ == "__main__":
    main()
