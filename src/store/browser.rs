//! The browser of this machine: on Linux `BROWSER` where it is set, otherwise what `xdg-open` opens.

use std::sync::Arc;

/// Opens an address in a browser. It may block until the browser is closed. The error says why none could be opened.
pub type OpenBrowser = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Returns what opens the browser of this machine.
pub fn of_this_machine() -> OpenBrowser {
    Arc::new(|address| webbrowser::open(address).map_err(|error| error.to_string()))
}
