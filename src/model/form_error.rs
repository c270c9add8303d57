//! Validation errors of forms.

/// Validation error of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError<F> {
    /// Field that is invalid.
    pub field: F,
    /// One sentence that says what is wrong and how to fix it.
    pub message: String,
}

impl<F> FormError<F> {
    /// Creates the error of a field.
    pub fn new(field: F, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl<F: PartialEq> FormError<F> {
    /// Returns the message for a field; `None` if the field has no error.
    pub fn of<'e>(errors: &'e [Self], field: &F) -> Option<&'e str> {
        errors.iter().find(|error| error.field == *field).map(|error| error.message.as_str())
    }
}
