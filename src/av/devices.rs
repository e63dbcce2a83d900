//! FFmpeg's devices, such as cameras of this machine, from libavdevice, which is loaded when one is first named. Debian's
//! needs 80 libraries more (SDL, PulseAudio, OpenGL): 60 ms and 17 MB in every process that loads them.

use super::ffi;
use std::ffi::{CStr, CString, OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null;

/// `av_input_video_device_next`: the device after this one, the first one after NULL.
type NextDevice = unsafe extern "C" fn(*const ffi::AVInputFormat) -> *const ffi::AVInputFormat;

/// The video device of this name; NULL if libavdevice has none.
///
/// Devices are taken from libavdevice's own list and not registered with libavformat, which would let any source in this
/// process open them: v4l2 accepts every URL that begins with /dev/video.
pub(super) fn find(name: &CStr) -> Result<*const ffi::AVInputFormat, String> {
    let next = load()?;
    let mut device = null();
    loop {
        // SAFETY: libavdevice's function, given NULL or what it returned; its devices are static and have names.
        unsafe {
            device = next(device);
            if device.is_null() || ffi::av_match_name(name.as_ptr(), (*device).name) != 0 {
                return Ok(device);
            }
        }
    }
}

/// Loads libavdevice, which stays. It keeps no lock or state of this library's, so that a fork at any moment is safe.
fn load() -> Result<NextDevice, String> {
    let file = file()?;
    // SAFETY: two C strings; what dlopen returned is passed on only where it is not NULL. The function has had this type
    // since FFmpeg 5.0.
    unsafe {
        let library = libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_NODELETE);
        if library.is_null() {
            return Err(last_error());
        }
        let function = libc::dlsym(library, c"av_input_video_device_next".as_ptr());
        if function.is_null() {
            return Err(last_error());
        }
        Ok(std::mem::transmute::<*mut c_void, NextDevice>(function))
    }
}

/// The libavdevice of the FFmpeg that is in use: it lies beside its libavformat and has the same number.
fn file() -> Result<CString, String> {
    // SAFETY: any address may be asked about; the name is valid as long as libavformat is loaded.
    let libavformat = unsafe {
        let mut found: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(ffi::avformat_get_class().cast(), &raw mut found) == 0 || found.dli_fname.is_null() {
            return Err("libavformat has no file".to_owned());
        }
        Path::new(OsStr::from_bytes(CStr::from_ptr(found.dli_fname).to_bytes())).to_owned()
    };
    let is_shared = libavformat.file_name().is_some_and(|name| name.as_bytes().starts_with(b"libavformat"));
    if !is_shared {
        return Err("this library has an FFmpeg without devices linked in".to_owned());
    }
    // SAFETY: it takes nothing and returns a number.
    let major = unsafe { ffi::avformat_version() } >> 16;
    let file = libavformat.with_file_name(format!("libavdevice.so.{major}"));
    CString::new(file.into_os_string().into_encoded_bytes()).map_err(|error| error.to_string())
}

/// Why the last call of the dynamic linker failed in this thread.
fn last_error() -> String {
    // SAFETY: it takes nothing and returns NULL or a C string that is valid until the next call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { "not found".to_owned() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}
