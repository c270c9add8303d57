//! Dispatch from commands to actions, and from answers to the state: one line for each.

use super::{
    Command, DialogKind, Loadable, Screen, State, cluster::merged, pending::Waiting, rotation::dialog::RotationStep,
};
use crate::{
    ops::{Fix, connections::sign_in::Way},
    worker::{Answer, Event, Task, Ticket},
};

impl State {
    /// Acts on a command of the user.
    pub fn handle(&mut self, command: Command) {
        // A locked window does nothing but unlock.
        let is_for_lock = matches!(command, Command::Unlock(_) | Command::SetLook(_));
        if self.lock().is_none() || is_for_lock {
            // What an answer has brought since is a place, too.
            self.note_place();
            if let Some(command) = self.permitted(command) {
                self.act(command);
            }
            self.follow_key_page();
            self.note_place();
        }
        self.settle_closing();
        self.settle_lock();
    }

    /// Acts on a command that may be acted on.
    pub(super) fn act(&mut self, command: Command) {
        match command {
            Command::Show(screen) => self.show(screen),
            Command::ShowOverlay(overlay) => self.show_overlay(overlay),
            Command::Back => self.go_along_trail(true),
            Command::Forward => self.go_along_trail(false),
            Command::FindKeys(typed) => self.find_keys(typed),
            Command::ShowFound(profile, id) => self.show_found(&profile, id),
            Command::ListFound(profile, search) => self.list_found(&profile, search),
            Command::FocusSearch => {
                self.searches_asked += 1;
                self.show(Screen::Keys);
            }
            Command::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Command::UseMemory => self.read_profiles(Task::UseMemory),
            Command::EditProfile(id) => self.edit_profile(id),
            Command::SaveProfile(profile) => self.save_profile(*profile),
            Command::RemoveProfile(id) => self.remove_profile(id),
            Command::ReadCertificate(files) => self.read_certificate(files),
            Command::DropCertificate => self.certificate = Loadable::default(),
            Command::ReadSignIn(endpoint) => self.read_sign_in(endpoint),
            Command::SignIn(endpoint, way) => self.start_sign_in(endpoint, way),
            Command::StopSignIn => self.stop_sign_in(),
            Command::SignOut(endpoint) => self.sign_out(endpoint),
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
            Command::SetView(view) => {
                // Not with each letter of a search: the list may have an order that nobody chose.
                if self.cluster().is_some_and(|own| own.view.sorts != view.sorts) {
                    self.keep_sorts(&view.sorts);
                }
                self.on_cluster(|cluster, now| cluster.set_view(view, now));
            }
            Command::Select(id, on) => self.on_cluster(|cluster, _| cluster.select(id, on)),
            Command::SelectTo(line, also) => self.on_cluster(|cluster, _| cluster.select_to(line, also)),
            Command::SelectLines(lines, also) => self.on_cluster(|cluster, _| cluster.select_lines(lines, also)),
            Command::SelectNone => self.on_cluster(|cluster, _| cluster.select_lines(0..0, false)),
            Command::OpenKey(id) => self.on_cluster(|cluster, _| cluster.open_page(id)),
            Command::SetTable(layout) => self.change_settings(|settings| settings.table = layout),
            Command::SetLook(word) => self.change_settings(|settings| settings.look = Some(word)),
            Command::ReadRights => self.read_rights(),
            Command::AskCheckSecret(id) => self.ask_check_secret(id),
            Command::CheckSecret(text, asked) => self.check_secret(&text, asked),
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
            Command::GoBackToSecret => {
                self.stay_unlocked();
                self.go_back_to_secret();
            }
            Command::DropSecret => self.drop_secret(),
            Command::InvalidateSecret => self.invalidate_secret(),
            Command::Closing(step) => self.closing_step(step),
            Command::Dialog(step) => self.dialog_step(step),
            Command::ExportOutcomes(only, format, path) => self.export_outcomes(only, format, path),
            Command::CloseDialog(kind) => {
                self.close_dialog(kind);
                // The window may have been asked to close before the dialog was.
                if !self.dialogs.is_open(kind) {
                    self.resume_closing();
                }
            }
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
            Command::SavePicture(path, bytes) => drop(self.submit(Task::SavePicture(path, bytes), Waiting::Picture)),
            Command::ChooseFile(question) => self.choose_file(question),
            Command::AskExport => self.ask_export(),
            Command::Export(scope, format, path) => self.start_export(scope, format, path),
            Command::SetJournalView(view) => self.journal.set_view(view),
            Command::OpenOperation(index) => self.journal.open = index,
            Command::AskJournalExport => self.ask_journal_export(),
            Command::AskCheckpoint => self.ask_checkpoint(),
            Command::MakeCheckpoint(key) => self.make_checkpoint(key),
            Command::ExportJournal(form, path) => self.export_journal(form, path),
            Command::DismissJournalFault => self.journal.dismiss_fault(),
            Command::Fix(fix) => self.fix(fix),
            Command::DismissNotice => drop(self.notices.pop_front()),
            Command::AnswerName(answer) => self.answer_name(answer),
            Command::AnswerCredential(answer) => self.answer_credential(answer),
            Command::Lock => self.ask_lock(),
            Command::Unlock(typed) => self.unlock(typed),
            Command::SetLockAfter(minutes) => self.set_lock_after(minutes),
            Command::DismissLockOutcomes => self.dismiss_lock_outcomes(),
        }
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
            Fix::EditConnection | Fix::MoreTime | Fix::CompareCertificate | Fix::SignIn | Fix::ActAs(_) => {
                self.close_dialog(DialogKind::Rotate);
                if let Some(cluster) = self.cluster() {
                    let profile = cluster.profile.clone();
                    self.to_edit = Some(profile.id.clone());
                    match fix {
                        Fix::CompareCertificate => self.start_test(Box::new(profile.endpoint)),
                        Fix::SignIn => self.start_sign_in(Box::new(profile.endpoint), Way::Browser),
                        _ => {}
                    }
                }
                self.show(Screen::Connections);
            }
            Fix::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Fix::UseMemory => self.read_profiles(Task::UseMemory),
            Fix::CreateKey | Fix::ListRotations => {
                self.close_dialog(DialogKind::Rotate);
                self.show(if fix == Fix::CreateKey { Screen::Create } else { Screen::Overview });
            }
            Fix::AllowOtherOwner => self.rotate_step(RotationStep::OtherOwner(true)),
            Fix::AllowManaged => self.rotate_step(RotationStep::Managed(true)),
            Fix::RotateAgain => self.rotate_step(RotationStep::Again(true)),
            Fix::ResumeRotation(id) | Fix::HaveSecret(id) | Fix::MakeAgain(id) | Fix::OtherFile(id) => {
                self.rotation_fix(&id, None);
            }
            Fix::CancelRotation { id, keep_successor } => self.rotation_fix(&id, Some(keep_successor)),
        }
    }

    /// Takes in an event of the worker. Answers to requests that were given up are dropped.
    pub fn apply(&mut self, event: Event) {
        let Event { ticket, answer } = event;
        match answer {
            Answer::AskedToEnd => self.asked_to_end(),
            Answer::LockAsked(reason) => self.lock_now(reason),
            Answer::SleepBegins(delay) => self.lock_before_sleep(delay),
            Answer::LockSignals(signals) => self.locking.signals = Some(signals),
            Answer::JournalWarning(warning, number) => self.journal.warn(&warning, number),
            answer => {
                if let Some(waiting) = self.pending.receive(ticket, &answer) {
                    self.take_in(ticket, waiting, answer);
                }
            }
        }
        self.end_when_done();
        self.settle_closing();
        self.settle_lock();
    }

    fn take_in(&mut self, ticket: Ticket, waiting: Waiting, answer: Answer) {
        if let Waiting::LockInvalidation(id, name) = &waiting {
            if !answer.is_progress() {
                self.invalidated_by_lock(id, name, &answer);
            }
            return;
        }
        match answer {
            Answer::Unlocked(result) => self.unlocked(ticket, result),
            Answer::Profiles(result) => {
                self.profiles.answer(ticket, result);
            }
            Answer::ProfilesChanged(result) => {
                if let Waiting::ProfileChange(id) = waiting {
                    self.profile_changed(ticket, id, result);
                }
            }
            Answer::SandboxOpened(result) => self.sandbox_opened(ticket, result.map(|profile| *profile)),
            Answer::CertificateRead(result) => {
                self.certificate.answer(ticket, result.map(|certificate| *certificate));
            }
            answer @ (Answer::SignInStep(_) | Answer::SignInRead(_) | Answer::SignedIn(_) | Answer::SignedOut(_)) => {
                self.sign_in_answered(ticket, answer);
            }
            Answer::ImportRead(result) => self.import_read(ticket, result),
            Answer::ImportSaved(result) => self.import_saved(ticket, result),
            Answer::ProfilesShared(result) => self.shared(ticket, result),
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
            Answer::BulkProgress(progress) => {
                if let Waiting::Dialog(kind) = waiting {
                    self.bulk_progress(kind, ticket, progress);
                }
            }
            Answer::BulkDone(outcome) => {
                if let Waiting::Dialog(kind) = waiting {
                    self.bulk_done(kind, ticket, outcome);
                }
            }
            Answer::BeforeUpdate(result) => self.before_update(ticket, result.map(|before| *before)),
            Answer::UpdatePlanned(result) => self.update_planned(ticket, result),
            Answer::Rotating(rotated) => self.rotated(ticket, rotated),
            Answer::Copied(result) => self.copied(ticket, result),
            Answer::Cleared(result) => self.cleared(ticket, result),
            Answer::Kept(result) => self.kept(ticket, result),
            Answer::FoundKeys(found) => self.found_keys(ticket, found),
            Answer::FirstCounts(result) => self.first_counts(ticket, result.map(|counts| *counts)),
            Answer::PictureSaved(result) => match result {
                Ok(path) => self.notice(format!("Saved: {path}")),
                Err(problem) => self.notice(format!("{}: {}", problem.title, problem.detail)),
            },
            Answer::FileChosen(answer) => self.files.chosen(ticket, answer),
            Answer::Merged(list, ends) => self.merged(ticket, list, &ends),
            Answer::Exporting(written) => self.exporting(ticket, written),
            Answer::Exported(result) => {
                if let Waiting::Dialog(kind) = waiting {
                    self.dialogs.exported(kind, ticket, result);
                }
            }
            Answer::JournalChecked(result) => self.journal_checked(ticket, result),
            Answer::JournalRead(result) => self.journal_read(ticket, result),
            Answer::History(result) => self.history(ticket, result),
            Answer::JournalExported(result) => self.journal_exported(ticket, result),
            Answer::Signers(result) => self.signers(ticket, result),
            Answer::CheckpointMade(result) => self.checkpoint_made(ticket, result),
            Answer::Panicked => self.fail(ticket, waiting),
            // Answers to no request, which were taken in before.
            Answer::AskedToEnd
            | Answer::JournalWarning(..)
            | Answer::LockAsked(_)
            | Answer::SleepBegins(_)
            | Answer::LockSignals(_) => {}
        }
    }
}
