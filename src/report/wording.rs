//! Code in, the words that reports put beside it out.

use std::borrow::Cow;

use serde::Serialize;

use crate::judge::{Class, Code, Finding, Signature, VerdictKind};

/// The code's one spelling.
pub(super) fn name(code: Code) -> String {
    word(code)
}

/// What a finding of this code does to the run.
pub(super) fn class(code: Code) -> Class {
    match code {
        Code::Leak
        | Code::EffectDespiteRefusal
        | Code::CrashedNotRefused
        | Code::Lockout
        | Code::Broken
        | Code::NoEffect
        | Code::DoorsDisagree
        | Code::Flips
        | Code::WrongRefusal
        | Code::TokenRolesMissing
        | Code::TokenRolesExtra
        | Code::TokenAudience
        | Code::TokenIssuer
        | Code::TokenTenant
        | Code::TokenExpired => Class::Fail,
        Code::TokenOpaque
        | Code::SignInFailed
        | Code::Intercepted
        | Code::NoAnswer
        | Code::FixtureFailed
        | Code::DoorClosed
        | Code::NoControl
        | Code::Incomplete => Class::Unproven,
        Code::LeftBehind => Class::Note,
    }
}

/// The verdict that a finding of this code weighs like; what does not decide about access weighs like `skipped`.
pub(super) fn weight(code: Code) -> VerdictKind {
    match class(code) {
        Class::Fail => VerdictKind::Fail,
        Class::Unproven => VerdictKind::Unproven,
        Class::Note => VerdictKind::Skipped,
    }
}

/// The finding's kind in a few words.
pub(super) fn headline(code: Code) -> String {
    let mut words = word(code).replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// The likely cause; empty where none is known.
pub(super) fn cause(_finding: &Finding) -> Cow<'_, str> {
    Cow::Borrowed("")
}

/// What to do about it; empty where nothing is known.
pub(super) fn remedy(_finding: &Finding) -> Cow<'_, str> {
    Cow::Borrowed("")
}

/// The signature's one spelling.
pub(super) fn signature(signature: Signature) -> String {
    word(signature)
}

/// Who answered, as a noun phrase.
pub(super) fn answerer(signature: Signature) -> String {
    word(signature).replace('-', " ")
}

/// The kebab-case word under which a value stands in a record.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
