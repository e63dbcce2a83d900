//! Options by name, as libav's functions take them.

use super::{check, ffi, owned_text};
use std::ffi::CString;
use std::ptr::{null, null_mut};

/// An `AVDictionary`.
pub(crate) struct Dictionary(*mut ffi::AVDictionary);

impl Dictionary {
    pub(crate) fn new() -> Self {
        Self(null_mut())
    }

    /// Sets an option, in place of an earlier value. Text with a NUL inside names no option and is left out.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        // SAFETY: the place of a valid dictionary.
        unsafe { Self::set_in(&mut self.0, key, value) };
    }

    /// The same for a dictionary of libav's.
    ///
    /// # Safety
    /// `place` is the place of a dictionary, or of NULL.
    pub(super) unsafe fn set_in(place: *mut *mut ffi::AVDictionary, key: &str, value: &str) {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return;
        };
        // SAFETY: both are C strings, which libav copies; the caller vouches for the place.
        let result = check(unsafe { ffi::av_dict_set(place, key.as_ptr(), value.as_ptr(), 0) });
        debug_assert!(result.is_ok());
    }

    /// The names that are in it: after a call that took it, those it did not know.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut entry: *const ffi::AVDictionaryEntry = null();
        loop {
            // SAFETY: the dictionary is valid or NULL; an empty prefix with IGNORE_SUFFIX goes through all entries.
            entry = unsafe { ffi::av_dict_get(self.0, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX) };
            if entry.is_null() {
                return keys;
            }
            // SAFETY: an entry's key is a C string for as long as the dictionary is not changed.
            keys.push(unsafe { owned_text((*entry).key) });
        }
    }

    /// For functions that take options out of it.
    pub(super) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &mut self.0
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: valid or NULL, and not used after.
        unsafe { ffi::av_dict_free(&mut self.0) };
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
