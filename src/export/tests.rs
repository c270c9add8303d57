//! Tests of all formats together.

use std::{borrow::Cow, io, ops::ControlFlow};

use super::{fixture::*, rows::writable, *};
use crate::model::{TimeDelta, Timestamp};

#[test]
fn an_export_tells_how_far_it_is_and_stops_when_asked() {
    let keys = vec![key("id", "name", None); 2500];
    for format in Format::ALL {
        let mut told = Vec::new();
        let mut progress = |read| {
            told.push(read);
            ControlFlow::Continue(())
        };
        let written = write(format, io::sink(), rows(&keys), &about(false), &mut progress).unwrap();
        assert_eq!(written.keys, if format == Format::Ics { 0 } else { 2500 });
        assert_eq!(told[..2], [1000, 2000], "{format:?}");
        let stop = &mut |read| if read < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let stopped = write(format, io::sink(), rows(&keys), &about(false), stop);
        assert!(matches!(stopped, Err(ExportError::Stopped)), "{format:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let keys = vec![key("id", "name", Some(NOW + TimeDelta::from_secs(1000))); 10];
    for format in Format::ALL {
        let full: &mut [u8] = &mut [0; 100];
        let result = write(format, full, rows(&keys), &about(false), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(result, Err(ExportError::Write(_))), "{format:?}");
    }
}

#[test]
fn the_worst_keys_fit_into_every_format_at_any_time() {
    for format in Format::ALL {
        for at in [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::EPOCH, NOW, Timestamp::MAX] {
            let about = About { now: at, made_at: at, ..about(true) };
            assert!(!bytes(format, &hostile(), &about).is_empty());
        }
    }
}

#[test]
fn only_what_no_text_may_have_is_written_out() {
    assert!(matches!(writable("two\nlines\t🔑\u{202e}"), Cow::Borrowed(_)));
    assert_eq!(writable("a\0\r\u{9f}\u{fffe}"), "a‹U+0000›‹U+000D›‹U+009F›‹U+FFFE›");
}
