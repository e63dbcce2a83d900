//! Any picture into the shape of the output, written in place.

use crate::av::{AvError, Colours, Frame, Picture, Scaler, format};
use crate::config::{Conversion, Matrix, PixelFormat};
use crate::error::{Error, Phase, Result, Status};
use crate::frame::Shape;

/// ITU-T H.273, table 4: the picture is RGB and has no matrix.
const IDENTITY: i32 = 0;
/// ITU-T H.273, table 4: the matrix is not told.
const UNSPECIFIED: i32 = 2;
/// Pictures without a told matrix are BT.709 from this many lines on, as broadcasting has it.
const HD_LINES: u32 = 720;

/// Scales and converts; what it needs for that is made anew when the input changes.
pub(crate) struct Converter {
    shape: Shape,
    conversion: Conversion,
    current: Option<(Picture, Colours, Scaler)>,
    /// For widths whose rows libswscale would write beyond their end.
    scratch: Vec<u8>,
}

impl Converter {
    pub(crate) fn new(shape: Shape, conversion: Conversion) -> Self {
        Self { shape, conversion, current: None, scratch: Vec::new() }
    }

    /// Writes the picture into `to`, which has the bytes of one frame.
    pub(crate) fn convert(&mut self, frame: &Frame, to: &mut [u8]) -> Result<()> {
        self.convert_or_fail(frame, to).map_err(|code| {
            let (width, height) = (frame.width(), frame.height());
            let text = format!("a {width}x{height} {} picture: {}", frame.format_name(), code.text());
            let mut error = Error::new(Status::BadData, text).in_phase(Phase::Convert).retryable(true);
            error.av_code = code.0;
            error
        })
    }

    fn convert_or_fail(&mut self, frame: &Frame, to: &mut [u8]) -> std::result::Result<(), AvError> {
        let row_bytes = self.shape.row_bytes();
        let is_exact = Scaler::is_exact(self.shape.width);
        let height = self.shape.height as usize;
        let mut scratch = std::mem::take(&mut self.scratch);
        let scaler = self.scaler_for(frame)?;
        if is_exact {
            return scaler.convert(frame, to, row_bytes);
        }
        let padded = row_bytes.next_multiple_of(64) + 64;
        scratch.resize(padded * height, 0);
        let outcome = scaler.convert(frame, &mut scratch, padded);
        for (to, from) in to.chunks_exact_mut(row_bytes).zip(scratch.chunks_exact(padded)) {
            to.copy_from_slice(&from[..row_bytes]);
        }
        self.scratch = scratch;
        outcome
    }

    fn scaler_for(&mut self, frame: &Frame) -> std::result::Result<&mut Scaler, AvError> {
        let source = Picture { width: frame.width(), height: frame.height(), format: frame.format() };
        let colours = colours_of(frame, self.conversion);
        let is_same = self.current.as_ref().is_some_and(|(s, c, _)| (*s, *c) == (source, colours));
        if !is_same {
            // The old one goes first: each may hold megabytes.
            self.current = None;
            let target = Picture {
                width: self.shape.width,
                height: self.shape.height,
                format: match self.shape.pixel_format {
                    PixelFormat::Rgb24 => format::RGB24,
                    PixelFormat::Bgr24 => format::BGR24,
                    PixelFormat::Rgba => format::RGBA,
                    PixelFormat::Gray8 => format::GRAY8,
                },
            };
            self.current = Some((source, colours, Scaler::new(source, colours, target, self.conversion.filter)?));
        }
        self.current.as_mut().map(|(_, _, scaler)| scaler).ok_or(AvError::NO_MEMORY)
    }
}

/// The colours that the user or the stream tells of, and for what neither tells the custom of the trade.
fn colours_of(frame: &Frame, conversion: Conversion) -> Colours {
    let untold = if frame.height() >= HD_LINES { Matrix::Bt709 } else { Matrix::Bt601 };
    let matrix = match (conversion.matrix, frame.matrix()) {
        (Some(matrix), _) => matrix as i32,
        (None, IDENTITY | UNSPECIFIED) => untold as i32,
        (None, told) => told,
    };
    let is_jpeg = frame.format_name().starts_with("yuvj");
    let told = frame.is_full_range().unwrap_or(is_jpeg) || is_jpeg;
    Colours { matrix, is_full_range: conversion.is_full_range.unwrap_or(told) }
}
