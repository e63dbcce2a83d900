//! The calling thread's last failure, as text.
//!
//! A buffer of fixed size without destructor: it needs no memory when memory is short, and nothing runs when a thread
//! or the process ends.

use std::cell::UnsafeCell;
use std::ffi::c_char;

const SIZE: usize = 1024;

thread_local! {
    static TEXT: UnsafeCell<[u8; SIZE]> = const { UnsafeCell::new([0; SIZE]) };
}

/// Keeps the text for this thread, cut to the buffer at a character's end.
pub(super) fn set(text: &str) {
    TEXT.with(|cell| {
        // SAFETY: the cell belongs to this thread and nothing else borrows it while this closure runs.
        let buffer = unsafe { &mut *cell.get() };
        copy_text(text, buffer);
    });
}

/// The text, valid until the next failing call on this thread.
pub(super) fn get() -> *const c_char {
    TEXT.with(|cell| cell.get().cast::<c_char>().cast_const())
}

/// Copies text into a C buffer: cut at a character's end if too long, inner NULs replaced, NUL at the end.
pub(super) fn copy_text(text: &str, buffer: &mut [u8]) {
    let Some(room) = buffer.len().checked_sub(1) else {
        return;
    };
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    for (to, from) in buffer.iter_mut().zip(text.as_bytes()[..end].iter()) {
        *to = if *from == 0 { b' ' } else { *from };
    }
    buffer[end] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_a_character() {
        let mut buffer = [1; 4];
        copy_text("aäö", &mut buffer);
        assert_eq!(&buffer[..], b"a\xc3\xa4\0");
        copy_text("x\0y", &mut buffer);
        assert_eq!(&buffer[..], b"x y\0");
        copy_text("anything", &mut []);
    }
}
