//! Opened sources.

use super::frame::positive;
use super::nested::{InitSegment, NestedLog, buffered};
use super::{AvError, CodecParameters, Demuxer, Dictionary, Packet, Pipe, check, ffi, owned_text, tls};
use crate::cancel::Watch;
use crate::config::StreamChoice;
use crate::sync::{Arc, Mutex};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};
use std::sync::OnceLock;

/// An open `AVFormatContext`, whose every blocking step ends when its watch says so.
pub(crate) struct Input {
    context: NonNull<ffi::AVFormatContext>,
    watch: Arc<Watch>,
    /// What the interrupt callback reads; must outlive the context, and not move.
    _interruption: Box<Interruption>,
    is_device: bool,
    /// What the context reads from in place of a protocol of its own; must outlive it.
    _pipe: Option<Pipe>,
    /// What every further open is told; must outlive the context, and not move.
    opening: Box<Opening>,
}

/// How to open whatever a source leads to: itself, and playlists, segments and keys, which libavformat would open without
/// some of these options.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nested {
    pub(crate) options: Vec<(&'static str, String)>,
    /// The protocols for addresses whose TLS connections get these options, where the context's own list has no TLS.
    pub(crate) tls_whitelist: Option<CString>,
}

struct Opening {
    nested: Nested,
    default: Option<OpenFunction>,
    default_close: Option<CloseFunction>,
    log: NestedLog,
    /// Of what the source's own address led to, by the server's account; `None` before that, empty where it gave none.
    mime_type: Mutex<Option<String>>,
}

type CloseFunction = unsafe extern "C" fn(*mut ffi::AVFormatContext, *mut ffi::AVIOContext) -> c_int;

type OpenFunction = unsafe extern "C" fn(
    *mut ffi::AVFormatContext,
    *mut *mut ffi::AVIOContext,
    *const c_char,
    c_int,
    *mut *mut ffi::AVDictionary,
) -> c_int;

/// A video stream of a source.
pub(crate) struct VideoStream {
    pub(crate) index: usize,
    pub(crate) codec: CodecParameters,
    /// Seconds of one unit of the timestamps, as a fraction.
    pub(crate) time_base: (i32, i32),
    /// Frames a second by the container's account.
    pub(crate) frame_rate: Option<(u32, u32)>,
    /// Width of a pixel over its height, by the container's account.
    pub(crate) sample_aspect: Option<(u32, u32)>,
    /// The matrix that brings pictures upright, by the container's account, where its decoder does not hand it on.
    pub(crate) display_matrix: Option<[i32; 9]>,
    /// A still picture that comes with music, not a stream.
    pub(crate) is_cover: bool,
}

/// Keeps libavformat from following an RTSP redirection to another server, which would get the credentials of the one
/// before (`rt->auth` in libavformat/rtsp.c). Before it connects, the new address is in the context, and every step of
/// connecting and writing asks the interrupt callback first.
pub(crate) struct OriginGuard {
    url: String,
    is_same_origin: fn(&str, &str) -> bool,
    /// The address that was not followed.
    left: OnceLock<String>,
}

impl OriginGuard {
    pub(crate) fn new(url: &str, is_same_origin: fn(&str, &str) -> bool) -> Self {
        Self { url: url.to_owned(), is_same_origin, left: OnceLock::new() }
    }

    /// The address of the other server, if a redirection led to one.
    pub(crate) fn left(&self) -> Option<&str> {
        self.left.get().map(String::as_str)
    }

    /// Whether a context's address may be connected to.
    fn admits(&self, url: &CStr) -> bool {
        if self.left.get().is_none() && url.to_bytes() != self.url.as_bytes() {
            let url = url.to_string_lossy();
            if !(self.is_same_origin)(&self.url, &url) {
                let _ = self.left.set(url.into_owned());
            }
        }
        self.left.get().is_none()
    }
}

/// When a step of libavformat's is to end early.
struct Interruption {
    watch: Arc<Watch>,
    guard: Option<Arc<OriginGuard>>,
    context: NonNull<ffi::AVFormatContext>,
}

// SAFETY: it is used by the thread that uses the context, like the input that holds both.
unsafe impl Send for Interruption {}

impl Interruption {
    fn is_due(&self) -> bool {
        self.watch.poll().is_some() || self.guard.as_ref().is_some_and(|guard| !self.is_admitted(guard))
    }

    fn is_admitted(&self, guard: &OriginGuard) -> bool {
        // SAFETY: the context lives for as long as it calls back, and RTSP, which alone has a guard, changes its address
        // on the thread that calls. The address is NULL or a C string.
        let url = unsafe { self.context.as_ref() }.url;
        // SAFETY: as above.
        url.is_null() || guard.admits(unsafe { CStr::from_ptr(url) })
    }
}

unsafe extern "C" fn is_interrupted(interruption: *mut c_void) -> c_int {
    // SAFETY: set in `Input::open` to one that the input keeps alive.
    let interruption = unsafe { &*interruption.cast::<Interruption>() };
    // A panic must not reach libav; ending the call is the safe answer.
    catch_unwind(AssertUnwindSafe(|| c_int::from(interruption.is_due()))).unwrap_or(1)
}

unsafe extern "C" fn is_over(watch: *mut c_void) -> c_int {
    // SAFETY: set in `can_shake_hands` to a watch that outlives the connection.
    let watch = unsafe { &*watch.cast::<Watch>() };
    // A panic must not reach libav; ending the call is the safe answer.
    catch_unwind(AssertUnwindSafe(|| c_int::from(watch.poll().is_some()))).unwrap_or(1)
}

unsafe extern "C" fn open_nested(
    context: *mut ffi::AVFormatContext,
    io: *mut *mut ffi::AVIOContext,
    url: *const c_char,
    flags: c_int,
    options: *mut *mut ffi::AVDictionary,
) -> c_int {
    // SAFETY: `Input::open` set `opaque` to an opening that the input keeps alive. IMF gives contexts of its own this
    // function, and before FFmpeg 7 no `opaque`.
    let opening = unsafe { (*context).opaque.cast::<Opening>().as_ref() };
    let Some((opening, default)) = opening.and_then(|opening| Some((opening, opening.default?))) else {
        return AvError::NO_PROTOCOL.0;
    };
    let nested = &opening.nested;
    let mut own = Dictionary::new();
    let options = match own.as_mut_ptr() {
        Ok(own) if options.is_null() => own,
        _ => options,
    };
    for (key, value) in &nested.options {
        // SAFETY: `options` is a valid place of a dictionary.
        if let Err(code) = unsafe { Dictionary::set_in(options, key, value) } {
            return code.0;
        }
    }
    // SAFETY: the context and the place are libavformat's own, as are the function and what else it gave. The function
    // reads the context's list and keeps a copy; the context has its own again before anything frees it.
    unsafe {
        close_what_hls_forgets(context, io);
        let verified = nested.tls_whitelist.as_deref().filter(|_| tls::is_verified(&owned_text(url)));
        let own_list = (*context).protocol_whitelist;
        if let Some(list) = verified {
            (*context).protocol_whitelist = list.as_ptr().cast_mut();
        }
        let outcome = default(context, io, url, flags, options);
        (*context).protocol_whitelist = own_list;
        if outcome >= 0 {
            opening.log.opened((*io).addr(), owned_text(url));
            opening.mime_type.lock().get_or_insert_with(|| mime_type(*io));
        }
        outcome
    }
}

unsafe extern "C" fn close_nested(context: *mut ffi::AVFormatContext, io: *mut ffi::AVIOContext) -> c_int {
    // SAFETY: as in `open_nested`; what is closed is valid until the default has closed it.
    unsafe {
        // Without an opening nothing was opened through it.
        let Some(opening) = (*context).opaque.cast::<Opening>().as_ref() else { return 0 };
        // A panic must not reach libav.
        let _ = catch_unwind(AssertUnwindSafe(|| opening.log.closed(io.addr(), buffered(io))));
        opening.default_close.map_or(0, |close| close(context, io))
    }
}

/// The type of the content by the server's account; empty for other protocols than HTTP.
///
/// # Safety
///
/// `io` is open.
unsafe fn mime_type(io: *mut ffi::AVIOContext) -> String {
    let mut value = null_mut();
    // SAFETY: an IO context may be searched for options; what is found is a C string of the caller's, to be freed.
    unsafe {
        ffi::av_opt_get(io.cast(), c"mime_type".as_ptr(), ffi::AV_OPT_SEARCH_CHILDREN as c_int, &mut value);
        let text = owned_text(value.cast());
        ffi::av_free(value.cast());
        text
    }
}

/// HLS keeps the connection of the last segment for the next, and forgets it when that names another protocol: it would
/// stay open for ever.
///
/// # Safety
///
/// The context is one that libavformat is opening or has open, `io` the place that it opens something at.
unsafe fn close_what_hls_forgets(context: *mut ffi::AVFormatContext, io: *mut *mut ffi::AVIOContext) {
    // SAFETY: what is being opened may have no format yet; one that is there has a name. HLS leaves NULL where nothing is
    // open; other formats may leave anything there, and are let alone.
    unsafe {
        let format = (*context).iformat;
        if !format.is_null() && CStr::from_ptr((*format).name) == c"hls" {
            ffi::avio_closep(io);
        }
    }
}

/// Whether a TLS server can be connected to with these options. Nothing is sent to it but the handshake.
pub(crate) fn can_shake_hands(address: &str, options: &[(&str, String)], watch: &Watch) -> bool {
    let Ok(url) = CString::new(format!("tls://{address}")) else { return false };
    let mut dictionary = Dictionary::new();
    for (key, value) in options {
        dictionary.set(key, value);
    }
    let Ok(options) = dictionary.as_mut_ptr() else { return false };
    let callback = ffi::AVIOInterruptCB { callback: Some(is_over), opaque: (&raw const *watch).cast_mut().cast() };
    let mut io = null_mut();
    // SAFETY: all pointers are valid; the callback is used for as long as the connection is open, which is closed here.
    unsafe {
        let outcome = ffi::avio_open2(&mut io, url.as_ptr(), ffi::AVIO_FLAG_READ as c_int, &callback, options);
        ffi::avio_closep(&mut io);
        outcome >= 0
    }
}

/// Whether libavformat's format of this name has an option of that name.
pub(crate) fn format_has_option(format: &str, option: &CStr) -> bool {
    let Ok(name) = CString::new(format) else {
        return false;
    };
    // SAFETY: a C string; NULL means that there is no such format.
    let format = unsafe { ffi::av_find_input_format(name.as_ptr()) };
    if format.is_null() {
        return false;
    }
    // SAFETY: a valid format; its class, if it has one, may be searched by its address.
    unsafe {
        let class = &raw const (*format).priv_class;
        let found =
            ffi::av_opt_find(class.cast_mut().cast(), option.as_ptr(), null(), 0, ffi::AV_OPT_SEARCH_FAKE_OBJ as c_int);
        !(*class).is_null() && !found.is_null()
    }
}

impl Input {
    /// Opens a URL. Options that were taken leave the dictionary.
    pub(crate) fn open(
        url: &[u8],
        demuxer: Demuxer,
        options: &mut Dictionary,
        nested: Nested,
        watch: Arc<Watch>,
        guard: Option<Arc<OriginGuard>>,
    ) -> Result<Self, AvError> {
        let mut mime_type = None;
        let before = options.try_clone()?;
        let opened =
            Self::open_as(url, demuxer, options, nested.clone(), Arc::clone(&watch), guard.clone(), &mut mime_type);
        match opened {
            // Cameras that leave the first boundary out (RFC 2046, section 5.1.1) are not recognized.
            Err(AvError::INVALID_DATA) if mime_type.is_some_and(|mime_type| mime_type.starts_with("multipart/")) => {
                *options = before;
                Self::open_as(url, Demuxer::jpegs(), options, nested, watch, guard, &mut None)
            }
            opened => opened,
        }
    }

    fn open_as(
        url: &[u8],
        demuxer: Demuxer,
        options: &mut Dictionary,
        nested: Nested,
        watch: Arc<Watch>,
        guard: Option<Arc<OriginGuard>>,
        mime_type: &mut Option<String>,
    ) -> Result<Self, AvError> {
        // A device opens what the URL names by itself.
        let is_pipe = !demuxer.is_device && Pipe::is_for(url);
        let mut pipe = if is_pipe { Some(Pipe::open(url, Arc::clone(&watch))?) } else { None };
        let url = CString::new(url).map_err(|_| AvError::NO_ENTRY)?;
        let options = options.as_mut_ptr()?;
        // SAFETY: takes nothing; NULL means that there is no memory.
        let mut context = NonNull::new(unsafe { ffi::avformat_alloc_context() }).ok_or(AvError::NO_MEMORY)?;
        // SAFETY: valid, and nothing else has it yet.
        let fields = unsafe { context.as_mut() };
        let opening = Box::new(Opening {
            nested,
            default: fields.io_open,
            default_close: fields.io_close2,
            log: NestedLog::default(),
            mime_type: Mutex::default(),
        });
        let interruption = Box::new(Interruption { watch: Arc::clone(&watch), guard, context });
        // The callback must be there before the first blocking step.
        fields.interrupt_callback = ffi::AVIOInterruptCB {
            callback: Some(is_interrupted),
            opaque: (&raw const *interruption).cast_mut().cast(),
        };
        fields.opaque = (&raw const *opening).cast_mut().cast();
        fields.io_open = Some(open_nested);
        if demuxer.is_device {
            // Waiting for a camera cannot be interrupted.
            fields.flags |= ffi::AVFMT_FLAG_NONBLOCK as c_int;
        }
        fields.io_close2 = Some(close_nested);
        if let Some(pipe) = &mut pipe {
            fields.pb = pipe.as_mut_ptr();
        }
        let mut raw = context.as_ptr();
        // SAFETY: all pointers are valid; on failure libavformat frees the context itself.
        let outcome = check(unsafe { ffi::avformat_open_input(&mut raw, url.as_ptr(), demuxer.format, options) });
        *mime_type = opening.mime_type.lock().take();
        outcome?;
        opening.log.begin_reading();
        Ok(Self { context, watch, _interruption: interruption, is_device: demuxer.is_device, _pipe: pipe, opening })
    }

    /// Whether it comes from libavdevice.
    pub(crate) fn is_device(&self) -> bool {
        self.is_device
    }

    /// Reads on until the streams are known, for so many microseconds of them at most, or for as long as libavformat is
    /// set to. What was read is not lost.
    pub(crate) fn probe(&mut self, microseconds: Option<i64>) -> Result<(), AvError> {
        if let Some(microseconds) = microseconds {
            // SAFETY: valid and borrowed mutably.
            unsafe { self.context.as_mut() }.max_analyze_duration = microseconds;
        }
        // SAFETY: an open context; no options.
        check(unsafe { ffi::avformat_find_stream_info(self.context.as_ptr(), null_mut()) }).map(drop)
    }

    /// Has packets handed on as the container holds them, or put together to whole units by libavformat's parsers.
    /// To be said before the first is read; parsers may be called in later.
    pub(crate) fn set_parsing(&mut self, on: bool) {
        // SAFETY: valid and borrowed mutably.
        let flags = &mut unsafe { self.context.as_mut() }.flags;
        *flags =
            if on { *flags & !(ffi::AVFMT_FLAG_NOPARSE as c_int) } else { *flags | ffi::AVFMT_FLAG_NOPARSE as c_int };
    }

    /// The video stream that is wanted; `NO_STREAM` if there is none.
    pub(crate) fn video(&self, choice: StreamChoice) -> Result<VideoStream, AvError> {
        let index = match choice {
            StreamChoice::Best => self.find_video(-1)?,
            StreamChoice::Index(index) => self.find_video(c_int::try_from(index).unwrap_or(c_int::MAX))?,
            StreamChoice::Program(number) => {
                let streams = self.streams_of_program(number);
                let videos = streams.into_iter().filter_map(|index| self.find_video(c_int::try_from(index).ok()?).ok());
                videos.min().ok_or(AvError::NO_STREAM)?
            }
        };
        // SAFETY: libavformat returned the index of one of its streams.
        unsafe {
            let stream = *self.context.as_ref().streams.add(index);
            let rate = (*stream).avg_frame_rate;
            Ok(VideoStream {
                index,
                codec: CodecParameters::copy((*stream).codecpar)?,
                time_base: ((*stream).time_base.num, (*stream).time_base.den),
                frame_rate: u32::try_from(rate.num)
                    .ok()
                    .zip(u32::try_from(rate.den).ok())
                    .filter(|r| r.0 > 0 && r.1 > 0),
                sample_aspect: positive((*stream).sample_aspect_ratio),
                display_matrix: stream_display_matrix(stream),
                is_cover: (*stream).disposition & ffi::AV_DISPOSITION_ATTACHED_PIC as c_int != 0,
            })
        }
    }

    /// The index of the video stream with this index, if it is one; of the best for -1.
    fn find_video(&self, index: c_int) -> Result<usize, AvError> {
        let video = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
        // SAFETY: an open context; no decoder is asked for.
        let found = unsafe { ffi::av_find_best_stream(self.context.as_ptr(), video, index, -1, null_mut(), 0) };
        usize::try_from(check(found)?).map_err(|_| AvError::NO_STREAM)
    }

    /// The indices of a program's streams; none if there is no such program.
    fn streams_of_program(&self, number: u32) -> Vec<u32> {
        // SAFETY: an open context has `nb_programs` valid programs, each with as many indices as it says.
        unsafe {
            let context = self.context.as_ref();
            let programs = (0..context.nb_programs as usize).map(|at| &**context.programs.add(at));
            let streams = |program: &ffi::AVProgram| {
                (0..program.nb_stream_indexes as usize).map(|at| *program.stream_index.add(at)).collect()
            };
            let mut found = programs.filter(|program| u32::try_from(program.id) == Ok(number));
            found.next().map(streams).unwrap_or_default()
        }
    }

    pub(crate) fn has_stream_in_program(&self, index: usize, number: u32) -> bool {
        self.streams_of_program(number).iter().any(|of_program| *of_program as usize == index)
    }

    /// The indices of all video streams.
    pub(crate) fn video_indices(&self) -> Vec<usize> {
        // SAFETY: valid for as long as `self` is.
        let count = unsafe { self.context.as_ref() }.nb_streams;
        (0..count).filter_map(|index| self.find_video(c_int::try_from(index).ok()?).ok()).collect()
    }

    /// The numbers of all programs.
    pub(crate) fn programs(&self) -> Vec<i32> {
        // SAFETY: an open context has `nb_programs` valid programs.
        unsafe {
            let context = self.context.as_ref();
            (0..context.nb_programs as usize).map(|at| (**context.programs.add(at)).id).collect()
        }
    }

    /// Whether streams may still appear while it is read.
    pub(crate) fn may_show_more_streams(&self) -> bool {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.context.as_ref() }.ctx_flags & ffi::AVFMTCTX_NOHEADER as c_int != 0
    }

    /// Has libavformat pass over these streams, where it can even not fetch them.
    pub(crate) fn discard(&mut self, indices: impl Iterator<Item = usize>) {
        // SAFETY: an open context has `nb_streams` valid streams, borrowed mutably with it.
        unsafe {
            let context = self.context.as_ref();
            for index in indices.filter(|index| *index < context.nb_streams as usize) {
                (**context.streams.add(index)).discard = ffi::AVDiscard::AVDISCARD_ALL;
            }
        }
    }

    /// Reads the next packet of any stream, in place of what the packet held.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<(), AvError> {
        // libavformat takes it for empty, and would leak what it held.
        packet.clear();
        // SAFETY: an open context and a valid packet.
        check(unsafe { ffi::av_read_frame(self.context.as_ptr(), packet.as_mut_ptr()) }).map(drop)
    }

    /// Whether a segment was read to its end since this was asked last.
    pub(crate) fn take_edge(&self) -> bool {
        self.opening.log.take_edge()
    }

    /// The initialization segment before and the one that took its place, since this was asked last.
    pub(crate) fn take_new_init(&self) -> Option<(InitSegment, InitSegment)> {
        self.opening.log.take_new_init()
    }

    /// libavformat's name of the container.
    pub(crate) fn format_name(&self) -> String {
        // SAFETY: an open context has an input format with a name.
        unsafe { owned_text((*self.context.as_ref().iformat).name) }
    }

    /// Length of the whole in nanoseconds, if it is known.
    pub(crate) fn duration_ns(&self) -> Option<i64> {
        // SAFETY: valid for as long as `self` is.
        let duration = unsafe { self.context.as_ref() }.duration;
        (duration > 0).then(|| duration.saturating_mul(1_000_000_000 / i64::from(ffi::AV_TIME_BASE)))
    }

    /// Bytes of the whole, if it is a thing of known size.
    pub(crate) fn size_bytes(&self) -> Option<i64> {
        // SAFETY: the IO context is NULL for protocols without one, else valid.
        let size = unsafe {
            let io = self.context.as_ref().pb;
            if io.is_null() { -1 } else { ffi::avio_size(io) }
        };
        (size > 0).then_some(size)
    }

    /// How many streams it has by now.
    pub(crate) fn stream_count(&self) -> usize {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.context.as_ref() }.nb_streams as usize
    }

    /// What was read of the source last, and lies in its buffer.
    pub(crate) fn buffered(&self) -> Vec<u8> {
        // SAFETY: the IO context is NULL for protocols without one, else its buffer ends at `buf_end`.
        unsafe {
            let io = self.context.as_ref().pb;
            if io.is_null() || (*io).buffer.is_null() {
                return Vec::new();
            }
            let size = usize::try_from((*io).buf_end.offset_from((*io).buffer)).unwrap_or(0);
            std::slice::from_raw_parts((*io).buffer, size).to_vec()
        }
    }

    /// Bytes read so far; 0 for protocols without an IO context.
    pub(crate) fn position(&self) -> i64 {
        // SAFETY: the IO context is NULL for protocols without one, else valid; to ask for its position changes nothing.
        unsafe {
            let io = self.context.as_ref().pb;
            if io.is_null() { 0 } else { ffi::avio_seek(io, 0, ffi::SEEK_CUR).max(0) }
        }
    }

    /// Whether the index of a stream names data beyond the end of the file.
    pub(crate) fn is_cut_short(&self, index: usize) -> bool {
        let Some(size) = self.size_bytes() else { return false };
        // SAFETY: an open context has `nb_streams` valid streams; an entry is valid until the next read, or NULL.
        unsafe {
            let stream = *self.context.as_ref().streams.add(index);
            let last = ffi::avformat_index_get_entries_count(stream) - 1;
            let entry = ffi::avformat_index_get_entry(stream, last);
            !entry.is_null() && (*entry).pos.saturating_add(i64::from((*entry).size())) > size
        }
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: opened by libavformat and not used after.
        unsafe { ffi::avformat_close_input(&mut context) };
    }
}

/// The display matrix that a stream carries. From FFmpeg 6.1 on, decoders hand it on with each frame.
///
/// # Safety
/// `stream` is valid.
unsafe fn stream_display_matrix(stream: *const ffi::AVStream) -> Option<[i32; 9]> {
    #[cfg(stream_side_data)]
    // SAFETY: the caller vouches for the stream; what is returned has the size that is written beside it.
    unsafe {
        let mut size = 0;
        let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
        let data = ffi::av_stream_get_side_data(stream, kind, &mut size);
        super::frame::display_matrix(data, size)
    }
    #[cfg(not(stream_side_data))]
    {
        let _ = stream;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_is_read_into_gives_back_what_it_held() {
        // Two pictures of two by two pixels.
        let url = "data:a/b,YUV4MPEG2 W2 H2 F25:1 C420jpeg\nFRAME\n......FRAME\n......";
        let watch = Arc::new(Watch::default());
        let mut input =
            Input::open(url.as_bytes(), Demuxer::ANY, &mut Dictionary::new(), Nested::default(), watch, None)
                .expect("not opened");
        let mut packet = Packet::new().expect("no memory");
        assert_eq!(input.read(&mut packet), Ok(()));
        // SAFETY: a packet that was read has a buffer, which a reference of its own keeps alive beyond it.
        let mut buffer = unsafe { ffi::av_buffer_ref((*packet.as_ptr()).buf) };
        assert!(!buffer.is_null());
        assert_eq!(input.read(&mut packet), Ok(()));
        // SAFETY: the reference is given back once and not used after.
        unsafe {
            assert_eq!(ffi::av_buffer_get_ref_count(buffer), 1, "libavformat was handed a packet that was not empty");
            ffi::av_buffer_unref(&mut buffer);
        }
    }
}
