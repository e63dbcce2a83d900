//! Options by name, as libav's functions take them.

use super::{AvError, check, ffi, owned_text};
use std::ffi::CString;
use std::ptr::{null, null_mut};

/// An `AVDictionary`.
pub(crate) struct Dictionary {
    options: *mut ffi::AVDictionary,
    /// Why an option is missing. One that protects the user must not be lost in silence.
    failure: Option<AvError>,
}

impl Dictionary {
    pub(crate) fn new() -> Self {
        Self { options: null_mut(), failure: None }
    }

    /// Sets an option, in place of an earlier value. Text with a NUL inside names no option and is left out.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        // SAFETY: the place of a valid dictionary.
        let outcome = unsafe { Self::set_in(&mut self.options, key, value) };
        self.failure = self.failure.or(outcome.err());
    }

    /// The same for a dictionary of libav's.
    ///
    /// # Safety
    /// `place` is the place of a dictionary, or of NULL.
    pub(super) unsafe fn set_in(place: *mut *mut ffi::AVDictionary, key: &str, value: &str) -> Result<(), AvError> {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return Ok(());
        };
        // SAFETY: both are C strings, which libav copies; the caller vouches for the place.
        check(unsafe { ffi::av_dict_set(place, key.as_ptr(), value.as_ptr(), 0) }).map(drop)
    }

    /// The names that are in it: after a call that took it, those it did not know.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut entry: *const ffi::AVDictionaryEntry = null();
        loop {
            // SAFETY: the dictionary is valid or NULL; an empty prefix with IGNORE_SUFFIX goes through all entries.
            entry = unsafe { ffi::av_dict_get(self.options, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX) };
            if entry.is_null() {
                return keys;
            }
            // SAFETY: an entry's key is a C string for as long as the dictionary is not changed.
            keys.push(unsafe { owned_text((*entry).key) });
        }
    }

    /// A copy, as it is before a function takes options out of it.
    pub(super) fn try_clone(&self) -> Result<Self, AvError> {
        let mut copy = Self { options: null_mut(), failure: self.failure };
        // SAFETY: both are valid or NULL.
        check(unsafe { ffi::av_dict_copy(&mut copy.options, self.options, 0) })?;
        Ok(copy)
    }

    /// For functions that take options out of it. There is none where an option found no memory.
    pub(super) fn as_mut_ptr(&mut self) -> Result<*mut *mut ffi::AVDictionary, AvError> {
        self.failure.map_or(Ok(&raw mut self.options), Err)
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: valid or NULL, and not used after.
        unsafe { ffi::av_dict_free(&mut self.options) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_set() {
        let mut dictionary = Dictionary::new();
        assert!(dictionary.keys().is_empty());
        dictionary.set("b", "2");
        dictionary.set("a", "1");
        dictionary.set("b", "3");
        dictionary.set("nul\0", "");
        let mut keys = dictionary.keys();
        keys.sort();
        assert_eq!(keys, ["a", "b"]);
    }
}
