//! Dispatch from commands to actions, and from answers to the state: one line for each.

use super::{Command, Invalidation, Screen, State, cluster::merged};
use crate::{
    ops::{Fix, Problem, keys::last_use::NotKnown},
    worker::{Answer, Event, Task, Ticket},
};

impl State {
    /// Acts on a command of the user.
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::Show(screen) => self.show(screen),
            Command::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Command::UseMemory => self.read_profiles(Task::UseMemory),
            Command::EditProfile(id) => self.edit_profile(id),
            Command::SaveProfile(profile) => self.save_profile(*profile),
            Command::RemoveProfile(id) => self.remove_profile(id),
            Command::Test(endpoint) => self.start_test(endpoint),
            Command::StopTest => self.stop_test(),
            Command::Connect(profile) => self.connect(*profile),
            Command::Disconnect(id) => self.disconnect(&id),
            Command::SwitchTo(id) => self.switch_to(id),
            Command::ShowAll => self.switch_to(merged::all()),
            Command::Refresh if self.screen == Screen::Journal => self.read_journal(),
            Command::Refresh => {
                self.journal.renew_history();
                self.refresh();
                self.refresh_rotations();
            }
            Command::StopRefresh => self.stop_refresh(),
            Command::SetView(view) => self.on_cluster(|cluster, now| cluster.set_view(view, now)),
            Command::Select(id, on) => self.on_cluster(|cluster, _| cluster.select(id, on)),
            Command::SelectTo(row, also) => self.on_cluster(|cluster, _| cluster.select_to(row, also)),
            Command::SelectRows(rows, also) => self.on_cluster(|cluster, _| cluster.select_rows(rows, also)),
            Command::SelectNone => self.on_cluster(|cluster, _| cluster.select_rows(0..0, false)),
            Command::OpenKey(id) => self.on_cluster(|cluster, _| cluster.open_page(id)),
            Command::SetTable(layout) => self.change_settings(|settings| settings.table = layout),
            Command::SetLook(word) => self.change_settings(|settings| settings.look = Some(word)),
            Command::ReadRights => self.read_rights(),
            Command::AskCheckSecret(id) => self.ask_check_secret(id),
            Command::CheckSecret(text, asked) => self.check_secret(&text, asked),
            Command::CloseCheckSecret => self.close_check_secret(),
            Command::ReadRoles => self.read_roles(),
            Command::ReadNames => self.read_names_once(),
            Command::Create(draft, credential, request_id) => self.create(&draft, credential, &request_id),
            Command::StopCreating => self.stop_creating(),
            Command::Form(command) => self.form(command),
            Command::DismissCreation => self.creation.dismiss(),
            Command::CopySecret(text) => self.copy_secret(text),
            Command::ClearClipboard => self.clear_clipboard(),
            Command::TryKey => self.try_key(),
            Command::KeepSecret => self.keep_secret(),
            Command::WriteSecret(path) => self.write_secret(path),
            Command::CloseSecret => self.close_secret(),
            Command::GoBackToSecret => self.go_back_to_secret(),
            Command::DropSecret => self.drop_secret(),
            Command::InvalidateSecret => self.invalidate_secret(),
            Command::Closing(step) => self.closing_step(step),
            Command::AskInvalidate(ids) => self.ask_invalidate(ids),
            Command::AskInvalidateShown => self.ask_invalidate_shown(),
            Command::IncludeOwnKey(on) => self.set_confirmation(|dialog| dialog.own_key_too = on),
            Command::IncludeManaged(on) => self.set_confirmation(|dialog| dialog.managed_too = on),
            Command::Invalidate => self.invalidate(),
            Command::StopInvalidate => self.stop_invalidate(),
            Command::RetryFailed => self.invalidate_again(Invalidation::take_failed),
            Command::AcceptClock => self.accept_clock(),
            Command::GoOnWithUntouched => self.invalidate_again(Invalidation::take_untouched),
            Command::ExportFates(outcome, format, path) if self.updating.is_some() => {
                self.export_updates(outcome, format, path)
            }
            Command::ExportFates(outcome, format, path) => self.export_outcomes(outcome, format, path),
            Command::CloseInvalidate => self.close_invalidate(),
            Command::Update(step) => self.update_step(step),
            Command::Rotate(step) => self.rotate_step(step),
            Command::SetOverview(wanted) => {
                self.overview_wanted = wanted;
                self.overview_now();
            }
            Command::CountBy(fields) => {
                self.change_settings(|settings| settings.counted_by = fields);
                self.overview_now();
            }
            Command::ShowKeys(view) => {
                self.on_cluster(|cluster, now| cluster.set_view(view, now));
                self.show(Screen::Keys);
            }
            Command::SavePicture(path, bytes) => drop(self.submit(Task::SavePicture(path, bytes))),
            Command::AskExport => self.ask_export(),
            Command::Export(scope, format, path) => self.start_export(scope, format, path),
            Command::CloseExport => self.close_export(),
            Command::SetJournalView(view) => self.journal.set_view(view),
            Command::OpenDeed(place) => self.journal.open = place,
            Command::AskJournalExport(on) => self.ask_journal_export(on),
            Command::ExportJournal(form, path) => self.export_journal(form, path),
            Command::DismissJournalFault => self.journal.dismiss_fault(),
            Command::Fix(fix) => self.fix(fix),
            Command::DismissNotice => drop(self.notices.pop_front()),
        }
        self.follow_key_page();
        self.settle_closing();
    }

    pub(super) fn show(&mut self, screen: Screen) {
        self.screen = screen;
        match screen {
            Screen::Create => self.read_roles_once(),
            Screen::Overview => self.overview_now(),
            Screen::Journal => self.read_journal(),
            Screen::Connections if self.profiles.is_untouched() => self.read_profiles(Task::ReadProfiles),
            _ => {}
        }
    }

    fn fix(&mut self, fix: Fix) {
        match fix {
            Fix::Retry if self.screen == Screen::Journal => self.read_journal(),
            Fix::Retry => match self.cluster() {
                Some(cluster) if cluster.session.value().is_none() && !cluster.is_merged() => {
                    let profile = cluster.profile.clone();
                    self.connect(profile);
                }
                Some(_) if self.screen == Screen::Create => self.read_roles(),
                Some(_) => self.refresh(),
                None => self.read_profiles(Task::ReadProfiles),
            },
            Fix::EditConnection | Fix::MoreTime | Fix::CompareCertificate | Fix::ActAs(_) => {
                self.close_rotating();
                if let Some(cluster) = self.cluster() {
                    let profile = cluster.profile.clone();
                    self.to_edit = Some(profile.id.clone());
                    if fix == Fix::CompareCertificate {
                        self.start_test(Box::new(profile.endpoint));
                    }
                }
                self.show(Screen::Connections);
            }
            Fix::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Fix::UseMemory => self.read_profiles(Task::UseMemory),
            Fix::CreateKey | Fix::ListRotations => {
                self.close_rotating();
                self.show(if fix == Fix::CreateKey { Screen::Create } else { Screen::Overview });
            }
            Fix::AllowOtherOwner => self.rotate_step(super::rotation::dialog::RotationStep::OtherOwner(true)),
            Fix::AllowManaged => self.rotate_step(super::rotation::dialog::RotationStep::Managed(true)),
            Fix::RotateAgain => self.rotate_step(super::rotation::dialog::RotationStep::Again(true)),
            Fix::ResumeRotation(id) | Fix::HaveSecret(id) | Fix::MakeAgain(id) | Fix::OtherFile(id) => {
                self.rotation_fix(&id, None);
            }
            Fix::CancelRotation { id, keep_successor } => self.rotation_fix(&id, Some(keep_successor)),
        }
    }

    /// Takes in an event of the worker. Answers to requests that were given up are ignored.
    pub fn apply(&mut self, event: Event) {
        let Event { ticket, answer } = event;
        self.file_over(ticket, &answer);
        match answer {
            Answer::Profiles(result) => {
                self.profiles.answer(ticket, result, self.now);
            }
            Answer::ProfilesChanged(result) => self.profiles_changed(ticket, result),
            Answer::SandboxOpened(result) => self.sandbox_opened(ticket, result.map(|profile| *profile)),
            Answer::Tested(report) => self.tested(ticket, *report),
            Answer::TestEnded => self.test_ended(ticket),
            Answer::Connected(result) => self.connected(ticket, result.map(|session| *session)),
            Answer::Listing(progress, snapshot) => self.listing(ticket, progress, snapshot),
            Answer::Listed(result, snapshot) => {
                self.listed(ticket, result, snapshot);
                self.read_rights();
            }
            Answer::Rights(result) => self.rights(ticket, result.map(|told| *told)),
            Answer::LastUse(uses) => self.last_use(ticket, uses),
            Answer::LastUses(uses) => self.last_uses(ticket, uses),
            Answer::SecretChecked(checked) => self.secret_checked(ticket, checked),
            Answer::Roles(result) => self.roles(ticket, result),
            Answer::Names(names) => self.names(ticket, *names),
            Answer::Created(result) => self.created(ticket, result),
            Answer::Form(answer) => self.form_answer(ticket, answer),
            Answer::Tried(result) => self.tried(ticket, result.map(|trial| *trial)),
            Answer::Invalidating(news) => self.invalidating(ticket, news),
            Answer::Invalidated(outcome) => self.invalidated(ticket, outcome),
            Answer::BeforeUpdate(result) => self.before_update(ticket, result.map(|before| *before)),
            Answer::UpdatePlanned(result) => self.update_planned(ticket, result),
            Answer::Updating(settled) => self.updating(ticket, settled),
            Answer::Updated(outcome) => self.updated(ticket, outcome),
            Answer::Rotating(rotated) => self.rotated(ticket, rotated),
            Answer::Copied(result) => self.copied(ticket, result),
            Answer::Cleared(result) => self.cleared(ticket, result),
            Answer::Kept(result) => self.kept(ticket, result),
            Answer::Figures(result) => self.figures(ticket, result.map(|figures| *figures)),
            Answer::PictureSaved(result) => match result {
                Ok(path) => self.notice(format!("Saved: {path}")),
                Err(problem) => self.notice(format!("{}: {}", problem.title, problem.detail)),
            },
            Answer::Merged(list, ends) => self.merged(ticket, list, &ends),
            Answer::Exporting(written) => self.exporting(ticket, written),
            Answer::Exported(result) => self.exported(ticket, result),
            Answer::JournalChecked(result) => self.journal_checked(ticket, result),
            Answer::JournalWarning(warning, number) => self.journal.warn(&warning, number),
            Answer::JournalRead(result) => self.journal_read(ticket, result),
            Answer::History(result) => self.history(ticket, result),
            Answer::JournalExported(result) => self.journal_exported(ticket, result),
            Answer::AskedToEnd => self.asked_to_end(),
            Answer::Panicked => self.panicked(ticket),
        }
        self.end_when_done();
        self.settle_closing();
    }

    /// Fails what waits for a job that panicked, so that it does not load forever.
    fn panicked(&mut self, ticket: Ticket) {
        let now = self.now;
        let broken = || Problem::broken().fix(Fix::Retry);
        self.profiles_changed(ticket, Err(Problem::broken().fix(Fix::ReadProfiles)));
        self.profiles.answer(ticket, Err(Problem::broken().fix(Fix::ReadProfiles)), now);
        self.clipboard.broken(ticket);
        self.copy_next();
        self.sandbox.answer(ticket, Err(broken()), now);
        self.test_ended(ticket);
        for cluster in &mut self.clusters {
            cluster.broken(ticket, now);
        }
        if let Some(merged) = &mut self.merged {
            merged.keys.answer(ticket, Err(broken()), now);
        }
        self.rights(ticket, Err(broken()));
        self.last_use(ticket, Err(NotKnown("that failed inside Keybearer".into())));
        self.last_uses(ticket, Err(NotKnown("that failed inside Keybearer".into())));
        self.secret_broken(ticket);
        self.creation.broken(ticket);
        self.cloning_broken(ticket);
        self.exported(ticket, Err(Problem::broken()));
        self.journal_broken(ticket);
        if let Some(reveal) = &mut self.reveal {
            reveal.broken(ticket, now);
        }
        if let Some(dialog) = &mut self.invalidation {
            dialog.broken(ticket);
        }
        self.before_update(ticket, Err(Problem::broken()));
        self.rotation_broken(ticket);
        if let Some(dialog) = &mut self.updating {
            dialog.broken(ticket);
        }
    }
}
