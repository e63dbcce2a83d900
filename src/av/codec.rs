//! Decoders.

use super::numbers::{codec_name, find_decoder, number};
use super::{AvError, Dictionary, Frame, Packet, check, ffi, log};
use crate::config::{Config, Decode, Rational};
use std::ffi::{c_int, c_void};
use std::ptr::{NonNull, null, null_mut};

/// What a decoder must know of a stream before its first packet.
pub(crate) struct CodecParameters(NonNull<ffi::AVCodecParameters>);

// SAFETY: plain data of its own.
unsafe impl Send for CodecParameters {}

impl CodecParameters {
    /// # Safety
    /// `from` is valid.
    pub(super) unsafe fn copy(from: *const ffi::AVCodecParameters) -> Result<Self, AvError> {
        // SAFETY: takes nothing; NULL means that there is no memory.
        let copy = NonNull::new(unsafe { ffi::avcodec_parameters_alloc() }).map(Self).ok_or(AvError::NO_MEMORY)?;
        // SAFETY: both are valid.
        check(unsafe { ffi::avcodec_parameters_copy(copy.0.as_ptr(), from) })?;
        Ok(copy)
    }

    /// Those of a video codec by libav's name for it, with what its decoder is to know from outside of the stream, such
    /// as parameter sets behind start codes; `NO_DECODER` if libav has no such codec.
    #[cfg(feature = "rtsp-native")]
    pub(crate) fn video(name: &str, extradata: &[u8]) -> Result<Self, AvError> {
        let id = super::numbers::codec_id(name).ok_or(AvError::NO_DECODER)?;
        let size = c_int::try_from(extradata.len()).map_err(|_| AvError::NO_MEMORY)?;
        // SAFETY: takes nothing; NULL means that there is no memory.
        let new = NonNull::new(unsafe { ffi::avcodec_parameters_alloc() }).map(Self).ok_or(AvError::NO_MEMORY)?;
        // SAFETY: valid, nothing else has it, and the number is one of libav's own. The memory is as large as what is
        // written to it, zeroed behind that as decoders want it, and belongs to the parameters from then on.
        unsafe {
            let parameters = new.0.as_ptr();
            (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            (&raw mut (*parameters).codec_id).cast::<c_int>().write(id);
            if size > 0 {
                let memory = ffi::av_mallocz(extradata.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
                if memory.is_null() {
                    return Err(AvError::NO_MEMORY);
                }
                memory.copy_from_nonoverlapping(extradata.as_ptr(), extradata.len());
                ((*parameters).extradata, (*parameters).extradata_size) = (memory, size);
            }
        }
        Ok(new)
    }

    fn codec_id(&self) -> c_int {
        // SAFETY: a valid field of the size of a C int.
        unsafe { number!((*self.0.as_ptr()).codec_id) }
    }

    /// Whether the container told which codec it is.
    pub(crate) fn is_known(&self) -> bool {
        self.codec_id() != 0
    }

    /// The container's own number or FourCC of the codec, 0 for none.
    pub(crate) fn tag(&self) -> u32 {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.0.as_ref() }.codec_tag
    }

    pub(crate) fn codec_name(&self) -> String {
        codec_name(self.codec_id())
    }

    /// Whether this build of FFmpeg can decode it.
    pub(crate) fn is_decodable(&self) -> bool {
        find_decoder(self.codec_id()).is_some()
    }

    /// Width and height, as far as the container told.
    pub(crate) fn size(&self) -> (u32, u32) {
        // SAFETY: valid for as long as `self` is.
        let parameters = unsafe { self.0.as_ref() };
        let side = |side: c_int| u32::try_from(side).unwrap_or(0);
        (side(parameters.width), side(parameters.height))
    }
}

impl Drop for CodecParameters {
    fn drop(&mut self) {
        let mut parameters = self.0.as_ptr();
        // SAFETY: allocated by libav and not used after.
        unsafe { ffi::avcodec_parameters_free(&mut parameters) };
    }
}

/// An open decoder.
pub(crate) struct CodecContext(NonNull<ffi::AVCodecContext>);

// SAFETY: a context may be used from any thread, one at a time.
unsafe impl Send for CodecContext {}

impl CodecContext {
    /// Opens the decoder for a stream. Options that it takes leave the dictionary.
    ///
    /// Threads work on slices of one picture: threads on several pictures would hand each of them out later.
    pub(crate) fn open(
        parameters: &CodecParameters,
        config: &Config,
        options: &mut Dictionary,
    ) -> Result<Self, AvError> {
        let decoder = find_decoder(parameters.codec_id()).ok_or(AvError::NO_DECODER)?;
        // SAFETY: a valid decoder; NULL means that there is no memory.
        let context = NonNull::new(unsafe { ffi::avcodec_alloc_context3(decoder) }).ok_or(AvError::NO_MEMORY)?;
        log::own(context.as_ptr().cast::<c_void>());
        let mut context = Self(context);
        // SAFETY: both are valid.
        check(unsafe { ffi::avcodec_parameters_to_context(context.0.as_ptr(), parameters.0.as_ptr()) })?;
        // SAFETY: valid, and not open yet, so that its fields may be set.
        let fields = unsafe { context.0.as_mut() };
        fields.thread_count = c_int::try_from(config.threads.max(1)).unwrap_or(1);
        fields.thread_type = ffi::FF_THREAD_SLICE;
        fields.max_pixels = config.max_pixels;
        // Without it libavcodec moves the left edge of the cropping rectangle outwards to an aligned address. The converter
        // reads rows at any address.
        fields.flags |= ffi::AV_CODEC_FLAG_UNALIGNED as c_int;
        fields.skip_frame = match config.decode {
            Decode::All => ffi::AVDiscard::AVDISCARD_DEFAULT,
            Decode::NonRef => ffi::AVDiscard::AVDISCARD_NONREF,
            Decode::Keyframes => ffi::AVDiscard::AVDISCARD_NONKEY,
        };
        let options = options.as_mut_ptr()?;
        // SAFETY: a context made for this decoder, and a valid dictionary.
        check(unsafe { ffi::avcodec_open2(context.0.as_ptr(), decoder, options) })?;
        Ok(context)
    }

    /// Opens the same decoder once more, for a stream that needs nothing from outside of its packets.
    pub(crate) fn another(&self) -> Result<Self, AvError> {
        // SAFETY: valid for as long as `self` is, and open, so that it has a decoder.
        let like = unsafe { self.0.as_ref() };
        // SAFETY: a valid decoder; NULL means that there is no memory.
        let context = NonNull::new(unsafe { ffi::avcodec_alloc_context3(like.codec) }).ok_or(AvError::NO_MEMORY)?;
        log::own(context.as_ptr().cast::<c_void>());
        let mut context = Self(context);
        // SAFETY: valid, and not open yet, so that its fields may be set.
        let fields = unsafe { context.0.as_mut() };
        (fields.thread_count, fields.thread_type) = (like.thread_count, like.thread_type);
        (fields.max_pixels, fields.flags) = (like.max_pixels, like.flags);
        // SAFETY: a context made for this decoder; no options.
        check(unsafe { ffi::avcodec_open2(context.0.as_ptr(), like.codec, null_mut()) })?;
        Ok(context)
    }

    /// Has pictures that build on missing ones handed out too, marked as damaged.
    pub(crate) fn show_damaged(&mut self) {
        // SAFETY: valid and borrowed mutably; the flag is read anew for every picture.
        unsafe { self.0.as_mut() }.flags |= ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as c_int;
    }

    /// Frames a second by the stream's own account, as far as the decoder has seen one.
    pub(crate) fn frame_rate(&self) -> Option<Rational> {
        // SAFETY: valid for as long as `self` is.
        let rate = unsafe { self.0.as_ref() }.framerate;
        let (num, den) = (u32::try_from(rate.num).ok()?, u32::try_from(rate.den).ok()?);
        (num > 0 && den > 0).then_some(Rational { num, den })
    }

    /// Has the decoder forget all that it was given, pictures that it holds back too, as if it were new.
    pub(crate) fn flush(&mut self) {
        // SAFETY: an open context, borrowed mutably.
        unsafe { ffi::avcodec_flush_buffers(self.0.as_ptr()) };
    }

    /// Gives the decoder a packet; `None` tells it that no more come.
    pub(crate) fn send(&mut self, packet: Option<&Packet>) -> Result<(), AvError> {
        let packet = packet.map_or(null(), Packet::as_ptr);
        // SAFETY: an open context; the packet is valid or NULL, and libav keeps a reference of its own.
        check(unsafe { ffi::avcodec_send_packet(self.0.as_ptr(), packet) }).map(drop)
    }

    /// Takes the next picture, in place of what the frame held. `AGAIN`: packets first; `END`: all are out.
    pub(crate) fn receive(&mut self, frame: &mut Frame) -> Result<(), AvError> {
        // SAFETY: an open context and a valid frame.
        check(unsafe { ffi::avcodec_receive_frame(self.0.as_ptr(), frame.as_mut_ptr()) }).map(drop)
    }
}

impl Drop for CodecContext {
    fn drop(&mut self) {
        let mut context = self.0.as_ptr();
        // SAFETY: allocated by libav and not used after.
        unsafe { ffi::avcodec_free_context(&mut context) };
        debug_assert_eq!(context, null_mut());
        log::disown(self.0.as_ptr().cast::<c_void>());
    }
}
