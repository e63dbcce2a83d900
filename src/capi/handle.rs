//! From pointers to references, and from panics and errors to statuses.

use super::last_error;
use super::types::{MpegClient, MpegClientCancel};
use crate::cancel::CancelToken;
use crate::client::Client;
use crate::error::{Error, Result, Status};
use std::ffi::{CStr, c_char};
use std::mem::{MaybeUninit, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a caller's pointer points to: an object and the process that made it. A child after fork has a copy of the object,
/// but not the threads that may hold its locks at that moment.
pub(super) struct Handle<T> {
    object: T,
    process: u32,
}

impl<T> Handle<T> {
    pub(super) fn new(object: T) -> Self {
        Self { object, process: std::process::id() }
    }

    pub(super) fn usable(&self) -> Result<&T> {
        if self.process != std::process::id() {
            let text = "it was made before fork: make a new one in the child, or start the child without fork";
            return Err(Error::new(Status::Forked, text));
        }
        Ok(&self.object)
    }

    /// Drops the object, or leaves it alone if it belongs to a parent process.
    pub(super) fn free(self: Box<Self>) {
        if self.usable().is_err() {
            std::mem::forget(self);
        } else if catch_unwind(AssertUnwindSafe(|| drop(self))).is_err() {
            last_error::set(&panicked());
        }
    }
}

/// Runs the body of an exported function: no panic leaves it, and a failure's text is kept for the thread.
pub(super) fn guard(body: impl FnOnce() -> Result<()>) -> i32 {
    finish(catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panicked())))
}

/// [`guard`] for a function of a client, which is marked failed after a panic so that nobody waits for it.
///
/// # Safety
/// `client` is NULL, or came from `mpegclient_new` and is not freed before this returns.
pub(super) unsafe fn with_client(client: *const MpegClient, body: impl FnOnce(&Client) -> Result<()>) -> i32 {
    // SAFETY: the caller vouches for the pointer.
    let Some(handle) = (unsafe { client.cast::<Handle<Client>>().as_ref() }) else {
        return finish(Err(Error::argument("client", "NULL", "a client from mpegclient_new")));
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| body(handle.usable()?)));
    finish(outcome.unwrap_or_else(|_| {
        handle.object.mark_defective(&panicked());
        Err(panicked())
    }))
}

/// What a caught panic becomes.
pub(super) fn panicked() -> Error {
    Error::new(Status::Internal, "a panic was caught at the C boundary; please report it")
}

fn finish(outcome: Result<()>) -> i32 {
    match outcome {
        Ok(()) => Status::Ok.code(),
        Err(error) => {
            last_error::set(&error);
            error.status.code()
        }
    }
}

/// A C string, whatever bytes it holds.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that outlives the result.
pub(super) unsafe fn c_str<'a>(text: *const c_char, name: &str) -> Result<&'a CStr> {
    if text.is_null() {
        return Err(Error::argument(name, "NULL", "a string"));
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    Ok(unsafe { CStr::from_ptr(text) })
}

/// A C string as text.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that outlives the result.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller vouches for it.
    let text = unsafe { c_str(text, name)? };
    // The value is not shown: it may be a password.
    text.to_str()
        .map_err(|error| Error::argument(name, format!("not valid from byte {} on", error.valid_up_to()), "UTF-8"))
}

/// A cancel token, of which NULL is none.
///
/// # Safety
/// `cancel` is NULL, or came from `mpegclient_cancel_new` and is not freed while the result lives.
pub(super) unsafe fn cancel_token<'a>(cancel: *const MpegClientCancel) -> Result<Option<&'a CancelToken>> {
    // SAFETY: the caller vouches for the pointer.
    unsafe { cancel.cast::<Handle<CancelToken>>().as_ref() }.map(Handle::usable).transpose()
}

/// A place in the caller's memory for one value.
pub(super) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// # Safety
    /// `place` is NULL or may be written to until the function returns.
    pub(super) unsafe fn new(place: *mut T, name: &str) -> Result<Self> {
        if place.is_null() {
            return Err(Error::argument(name, "NULL", "a place for the result"));
        }
        Ok(Self(place))
    }

    pub(super) fn write(&self, value: T) {
        // SAFETY: not NULL, and whoever made it vouched for the rest.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// A C struct that may grow at its end. Callers pass the size that it has in their header, which may be an older or a newer
/// one than ours.
pub(super) trait Growing: Copy {
    /// Its size in ABI 1, which the oldest callers have. It stays when members are added.
    const FIRST_SIZE: usize;
}

/// A struct that may grow, and begins with its size.
pub(super) trait CStruct: Growing {}

/// Those of the header, each with the member that was its last in ABI 1.
mod c_structs {
    use super::super::types::*;
    use super::{CStruct, Growing};
    use std::mem::offset_of;

    /// Where a member ends.
    const fn end<S, M>(offset: usize, _member: fn(&S) -> &M) -> usize {
        offset + size_of::<M>()
    }

    macro_rules! first_sizes {
        ($($name:ident: $last:ident),+ $(,)?) => {$(
            impl Growing for $name {
                const FIRST_SIZE: usize = end(offset_of!($name, $last), |value: &$name| &value.$last);
            }
        )+};
    }

    first_sizes! {
        MpegClientBatch: largest_gap_ns,
        MpegClientError: message,
        MpegClientEvent: text,
        MpegClientFrameInfo: to_source,
        MpegClientParameterInfo: help,
        MpegClientReadOptions: cancel,
        MpegClientStats: repeated,
        MpegClientStreamInfo: engine,
    }

    impl CStruct for MpegClientBatch {}
    impl CStruct for MpegClientError {}
    impl CStruct for MpegClientEvent {}
    impl CStruct for MpegClientParameterInfo {}
    impl CStruct for MpegClientReadOptions {}
    impl CStruct for MpegClientStats {}
    impl CStruct for MpegClientStreamInfo {}
}

/// A struct in the caller's memory that begins with its size, as the caller's header declares it.
pub(super) struct OutStruct<T> {
    place: *mut T,
    size: usize,
}

impl<T: CStruct> OutStruct<T> {
    /// # Safety
    /// `place` is NULL, or holds the struct's size and may be written to over that size until the function returns.
    pub(super) unsafe fn new(place: *mut T, name: &str) -> Result<Self> {
        // SAFETY: the caller vouches for it.
        let size = unsafe { struct_size(place.cast_const(), name)? };
        Ok(Self { place, size })
    }

    /// Changes one member, which must be among the first published.
    pub(super) fn write_member<M>(&self, offset: usize, value: M) {
        debug_assert!(offset + size_of::<M>() <= T::FIRST_SIZE);
        // SAFETY: `new` saw that the struct has at least its first size.
        unsafe { self.place.cast::<u8>().add(offset).cast::<M>().write_unaligned(value) };
    }

    /// Writes the value, and the caller's size.
    pub(super) fn write(&self, value: T) {
        // SAFETY: `new` was vouched for up to `size`.
        unsafe {
            write_grown(self.place.cast(), self.size, &value);
            self.place.cast::<u32>().write_unaligned(u32::try_from(self.size).unwrap_or(u32::MAX));
        }
    }
}

/// Writes as many of the members as the caller's header has, and zeros where it has more than ours.
///
/// # Safety
/// `place` may be written to over `size` bytes.
pub(super) unsafe fn write_grown<T: Growing>(place: *mut u8, size: usize, value: &T) {
    let known = size.min(size_of::<T>());
    // SAFETY: the caller vouches for `size` bytes, of which no more than `value` has are copied.
    unsafe {
        place.copy_from_nonoverlapping(std::ptr::from_ref(value).cast(), known);
        place.add(known).write_bytes(0, size - known);
    }
}

/// Reads a struct that begins with its size. What an older caller does not have is 0; what a newer one has beyond ours
/// must be 0, or it would be ignored.
///
/// # Safety
/// `place` is NULL, or points to a struct that begins with its size and is readable over that size. All its members may
/// be 0.
pub(super) unsafe fn in_struct<T: CStruct>(place: *const T, name: &str) -> Result<T> {
    // SAFETY: the caller vouches for it.
    let size = unsafe { struct_size(place, name)? };
    let bytes = place.cast::<u8>();
    for offset in size_of::<T>()..size {
        // SAFETY: within the size that the caller vouches for.
        if unsafe { bytes.add(offset).read() } != 0 {
            let value = format!("set beyond byte {}", size_of::<T>());
            return Err(Error::argument(name, value, "0 there: this library is older than the header used"));
        }
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: readable over `size`, of which no more than `value` has is copied; the caller vouches for the zeros.
    Ok(unsafe {
        value.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes, size.min(size_of::<T>()));
        value.assume_init()
    })
}

/// # Safety
/// `place` is NULL or points to at least a readable `u32`.
unsafe fn struct_size<T: CStruct>(place: *const T, name: &str) -> Result<usize> {
    if place.is_null() {
        return Err(Error::argument(name, "NULL", "a struct with its struct_size set"));
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    let size = unsafe { place.cast::<u32>().read_unaligned() } as usize;
    check_size::<T>(size, &format!("{name}->struct_size"))?;
    Ok(size)
}

/// Refuses a size that no header declares: less than the first had, or such as the compiler gives to no struct.
pub(super) fn check_size<T: Growing>(size: usize, name: &str) -> Result<()> {
    // No struct will ever grow to this; a greater number is memory that was not initialised.
    const LARGEST: usize = 65_536;
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) || !size.is_multiple_of(align_of::<T>()) {
        let expected = format!("sizeof the struct, {}", size_of::<T>());
        return Err(Error::argument(name, size, &expected));
    }
    Ok(())
}

/// Gives a text to the caller: its size with the NUL into `needed`, the text into the buffer if it fits.
///
/// # Safety
/// `buffer` is NULL or may be written to over `size` bytes; `needed` is NULL or may be written to.
pub(super) unsafe fn write_text(text: &str, buffer: *mut c_char, size: usize, needed: *mut usize) -> Result<()> {
    // SAFETY: the caller vouches for it.
    unsafe { write_bytes(text.replace('\0', " ").as_bytes(), buffer, size, needed) }
}

/// The same for bytes without NUL.
///
/// # Safety
/// As for [`write_text`].
pub(super) unsafe fn write_bytes(bytes: &[u8], buffer: *mut c_char, size: usize, needed: *mut usize) -> Result<()> {
    let room = bytes.len() + 1;
    if !needed.is_null() {
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { needed.write_unaligned(room) };
    }
    if size < room {
        return Err(Error::new(Status::BufferTooSmall, format!("buffer_size is {size}, expected {room} or more")));
    }
    if buffer.is_null() {
        return Err(Error::argument("buffer", "NULL", "a buffer of buffer_size bytes"));
    }
    // SAFETY: not NULL, and the caller vouches for `size` bytes, which are `room` or more.
    unsafe {
        let to = buffer.cast::<u8>();
        to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        to.add(bytes.len()).write(0);
    }
    Ok(())
}

/// Text in a C array of fixed size.
pub(super) fn fixed_text<const N: usize>(text: &str) -> [c_char; N] {
    let mut bytes = [0_u8; N];
    last_error::copy_text(text, &mut bytes);
    bytes.map(|byte| byte as c_char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    /// A struct that has grown by its last member.
    #[repr(C)]
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Grown {
        struct_size: u32,
        first: u32,
        added: u64,
    }

    impl Growing for Grown {
        const FIRST_SIZE: usize = 8;
    }

    impl CStruct for Grown {}

    const SIZE: u32 = size_of::<Grown>() as u32;

    /// The caller's memory: what it sets, and something behind it that is none of ours.
    fn memory(struct_size: u32) -> [u32; 8] {
        [struct_size, 7, 7, 7, 7, 7, 7, 7]
    }

    #[test]
    fn a_panic_becomes_a_status_and_leaves_the_client_failed() {
        assert_eq!(guard(|| panic!("on purpose")), Status::Internal.code());
        let handle = Handle::new(Client::new());
        // SAFETY: the handle outlives the call.
        let status = unsafe { with_client((&raw const handle).cast(), |_| panic!("on purpose")) };
        assert_eq!(status, Status::Internal.code());
        assert_eq!(handle.object.state(), State::Failed);
        let failure = handle.object.last_failure().expect("no failure is told");
        assert_eq!(failure.error.status, Status::Internal);
    }

    #[test]
    fn an_older_caller_gets_what_it_knows_and_no_more() {
        let mut memory = memory(8);
        // SAFETY: the memory is larger than its size says.
        let out = unsafe { OutStruct::new(memory.as_mut_ptr().cast::<Grown>(), "out") }.expect("refused");
        out.write(Grown { struct_size: 0, first: 1, added: u64::MAX });
        assert_eq!(memory, [8, 1, 7, 7, 7, 7, 7, 7]);
        // SAFETY: as above.
        let read = unsafe { in_struct(memory.as_ptr().cast::<Grown>(), "in") }.expect("refused");
        assert_eq!(read, Grown { struct_size: 8, first: 1, added: 0 });
    }

    #[test]
    fn a_newer_caller_gets_zeros_beyond_and_may_set_nothing_there() {
        let mut memory = memory(SIZE + 8);
        // SAFETY: the memory is larger than its size says.
        let refused = unsafe { in_struct(memory.as_ptr().cast::<Grown>(), "in") }.expect_err("taken");
        assert!(refused.message.contains("set beyond byte 16"), "{refused}");
        // SAFETY: as above.
        let out = unsafe { OutStruct::new(memory.as_mut_ptr().cast::<Grown>(), "out") }.expect("refused");
        out.write(Grown { struct_size: 0, first: 1, added: 2 });
        assert_eq!(memory, [SIZE + 8, 1, 2, 0, 0, 0, 7, 7]);
        // SAFETY: as above.
        assert!(unsafe { in_struct(memory.as_ptr().cast::<Grown>(), "in") }.is_ok());
    }

    #[test]
    fn nonsense_sizes_are_refused() {
        for size in [0, 7, 9, 12, SIZE - 1, SIZE + 4, 65_537, 65_544, u32::MAX] {
            let memory = memory(size);
            // SAFETY: nothing beyond the size itself is read when it is refused.
            let refused = unsafe { in_struct(memory.as_ptr().cast::<Grown>(), "in") }.expect_err("taken");
            assert!(refused.message.contains("in->struct_size"), "{refused}");
        }
    }
}
