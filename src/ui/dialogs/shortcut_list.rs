//! The list of shortcuts.

use eframe::egui::{self, Align, Frame, Layout, Margin, ScrollArea, Ui, vec2};

use super::frame::{self, dialog};
use crate::{
    app::{
        ActionGroup, Command, Front, Overlay, Shortcut,
        actions::{ACTIONS, OTHER_SHORTCUTS},
    },
    ui::{
        View, shortcuts,
        theme::{self, Type, size, space},
        widgets::{button::Button, keycap, text},
    },
};

/// Draws the list if it is open.
pub(super) fn ui(ctx: &egui::Context, view: &mut View<'_>) {
    if view.state.front() != Some(Front::Overlay(Overlay::Shortcuts)) {
        return;
    }
    let p = theme::colors_of(ctx);
    let mut close = false;
    let escaped = dialog(ctx, view.state, "Keyboard shortcuts", "shortcuts", size::DIALOG_WIDE, |ui| {
        Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 14 }).show(ui, |ui| {
            text::line(ui, Type::Title, p.text.primary, "Keyboard shortcuts");
            ui.add_space(space::S);
            let height = ctx.content_rect().height() - 180.0;
            ScrollArea::vertical().auto_shrink([false, true]).max_height(height).show(ui, |ui| {
                // The scroll bar has a place of its own.
                ui.set_width(ui.available_width() - space::L);
                ui.spacing_mut().item_spacing = vec2(space::XL, space::XS);
                ui.columns(2, |columns| {
                    let [left, right] = columns else { return };
                    section(left, ActionGroup::GoTo);
                    section(left, ActionGroup::ChosenKeys);
                    section(right, ActionGroup::Keys);
                    section(right, ActionGroup::Window);
                });
            });
        });
        frame::footer(ui, |ui| {
            close = Button::primary("Close").show(ui).clicked();
        });
    });
    if escaped || close {
        view.send(Command::ShowOverlay(None));
    }
}

fn section(ui: &mut Ui, group: ActionGroup) {
    let p = theme::colors(ui);
    text::line(ui, Type::Heading, p.text.primary, group.label());
    let table = ACTIONS.iter().filter(|row| row.group == group).map(|row| (row.words, row.shortcuts));
    let others = OTHER_SHORTCUTS.iter().filter(|(own, ..)| *own == group).map(|(_, words, keys)| (*words, *keys));
    for (words, keys) in table.chain(others).filter(|(_, keys)| !keys.is_empty()) {
        line(ui, words, keys);
    }
    ui.add_space(space::M);
}

fn line(ui: &mut Ui, words: &str, keys: &[Shortcut]) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        ui.set_height(26.0);
        ui.spacing_mut().item_spacing.x = space::XS;
        text::line(ui, Type::Body, p.text.secondary, words.trim_end_matches('…'));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            keys.iter().rev().for_each(|key| drop(keycap::keycap(ui, &shortcuts::words(ui.ctx(), *key))));
        });
    });
}
