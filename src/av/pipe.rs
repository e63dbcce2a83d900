//! Reading from what is no regular file, such as a FIFO, without ever hanging in a system call.
//!
//! libavformat's own file protocol blocks in `open` until a FIFO has a writer, and in `read` until that one writes; neither
//! asks whether to go on.

use super::{AvError, ffi};
use crate::cancel::Watch;
use crate::sync::Arc;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::ffi::{OsStr, c_int, c_void};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

const BUFFER_SIZE: usize = 32_768;

/// How long to wait for data before asking again whether to go on.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How long to wait for a FIFO's first writer before looking again; nothing tells of one.
const PAUSE: Duration = Duration::from_millis(20);

/// An `AVIOContext` that reads from a descriptor.
pub(crate) struct Pipe {
    context: NonNull<ffi::AVIOContext>,
    /// What the callback reads from; must outlive the context, and not move.
    reader: NonNull<Reader>,
}

// SAFETY: used by one thread at a time, like the input that holds it.
unsafe impl Send for Pipe {}

struct Reader {
    descriptor: OwnedFd,
    watch: Arc<Watch>,
    /// There was a writer: when there is none any more, that is the end.
    has_begun: bool,
}

/// The path that libavformat's file protocol opens.
fn path_of(url: &[u8]) -> &OsStr {
    OsStr::from_bytes(url.strip_prefix(b"file:").unwrap_or(url))
}

impl Pipe {
    /// Whether a path wants to be read this way.
    pub(crate) fn is_for(url: &[u8]) -> bool {
        let path = path_of(url);
        std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    }

    pub(crate) fn open(url: &[u8], watch: Arc<Watch>) -> Result<Self, AvError> {
        let path = path_of(url);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = open(path, flags, Mode::empty()).map_err(|errno| AvError(-errno.raw_os_error()))?;
        let reader = Box::new(Reader { descriptor, watch, has_begun: false });
        let reader = NonNull::from(Box::leak(reader));
        // SAFETY: libav's own memory, as its context demands; NULL means that there is none.
        let context = unsafe {
            let buffer = ffi::av_malloc(BUFFER_SIZE);
            let size = BUFFER_SIZE as c_int;
            let opaque = reader.as_ptr().cast::<c_void>();
            let context = ffi::avio_alloc_context(buffer.cast(), size, 0, opaque, Some(read), None, None);
            if context.is_null() {
                ffi::av_free(buffer);
                drop(Box::from_raw(reader.as_ptr()));
            }
            NonNull::new(context).ok_or(AvError::NO_MEMORY)?
        };
        Ok(Self { context, reader })
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVIOContext {
        self.context.as_ptr()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: made in `open`; libavformat may have put another buffer in the place of the first.
        unsafe {
            ffi::av_freep((&raw mut (*context).buffer).cast());
            ffi::avio_context_free(&mut context);
            drop(Box::from_raw(self.reader.as_ptr()));
        }
        debug_assert_eq!(context, null_mut());
    }
}

unsafe extern "C" fn read(reader: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    // SAFETY: set in `Pipe::open` to a reader that the pipe keeps; libav reads from one thread at a time, into a buffer
    // of this size.
    let (reader, buffer) = unsafe {
        let size = usize::try_from(size).unwrap_or(0);
        (&mut *reader.cast::<Reader>(), std::slice::from_raw_parts_mut(buffer, size))
    };
    // A panic must not reach libav.
    catch_unwind(AssertUnwindSafe(|| reader.read(buffer))).unwrap_or(AvError::IO.0)
}

impl Reader {
    fn read(&mut self, buffer: &mut [u8]) -> c_int {
        while self.watch.poll().is_none() {
            match rustix::io::read(&self.descriptor, &mut *buffer) {
                Ok(0) if self.has_begun => return AvError::END.0,
                Ok(0) => std::thread::sleep(PAUSE),
                Ok(count) => {
                    self.has_begun = true;
                    return c_int::try_from(count).unwrap_or(c_int::MAX);
                }
                Err(Errno::AGAIN | Errno::INTR) => self.wait(),
                Err(errno) => return -errno.raw_os_error(),
            }
        }
        AvError::EXIT.0
    }

    fn wait(&mut self) {
        let mut polled = [PollFd::new(&self.descriptor, PollFlags::IN)];
        // Whatever it says, the next read says it better.
        let _ = poll(&mut polled, Some(&PATIENCE));
    }
}
