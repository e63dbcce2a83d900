//! The pixels of a decoded picture, as rows.

use super::{AvError, Frame};
use std::ffi::c_int;
use std::slice;

/// Planes as libav has them.
const MAX_PLANES: usize = 4;

/// The planes of a frame, of which every row was found to lie within the frame's own memory.
#[derive(Clone, Copy)]
pub(crate) struct Planes<'a> {
    planes: [Plane; MAX_PLANES],
    _frame: &'a Frame,
}

#[derive(Clone, Copy)]
struct Plane {
    first: *const u8,
    /// From one row to the next; negative for pictures that are stored upside down.
    stride: isize,
    rows: usize,
    row_bytes: usize,
}

impl<'a> Planes<'a> {
    /// The first planes of a frame, each of so many rows of so many bytes; `None` if the frame has not got them.
    pub(crate) fn new(frame: &'a Frame, sizes: impl IntoIterator<Item = (usize, usize)>) -> Option<Self> {
        let none = Plane { first: std::ptr::null(), stride: 0, rows: 0, row_bytes: 0 };
        let mut planes = [none; MAX_PLANES];
        for (index, (rows, row_bytes)) in sizes.into_iter().enumerate() {
            let first = frame.get().data.get(index)?.cast_const();
            let stride = *frame.get().linesize.get(index)? as isize;
            let plane = Plane { first, stride, rows, row_bytes };
            *planes.get_mut(index)? = is_within(frame, plane).then_some(plane)?;
        }
        Some(Self { planes, _frame: frame })
    }

    /// A row of a plane.
    ///
    /// # Panics
    /// If there is none of that number.
    pub(crate) fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let plane = &self.planes[plane];
        assert!(y < plane.rows, "row {y} of {}", plane.rows);
        // SAFETY: `new` has found all rows within the frame's memory, which the frame keeps and nobody writes to.
        unsafe { slice::from_raw_parts(plane.first.offset(plane.stride * y as isize), plane.row_bytes) }
    }
}

impl Frame {
    /// A picture of its own, of whose planes `fill` writes each row; `sizes` are rows and bytes of a row as for [`Planes`].
    pub(crate) fn filled(
        (width, height): (u32, u32),
        format: c_int,
        sizes: &[(usize, usize)],
        mut fill: impl FnMut(usize, usize, &mut [u8]),
    ) -> Result<Self, AvError> {
        let frame = Self::with_picture(width, height, format)?;
        let planes = Planes::new(&frame, sizes.iter().copied()).ok_or(AvError::INVALID_DATA)?.planes;
        for (index, plane) in planes.iter().enumerate() {
            for y in 0..plane.rows {
                let row = plane.first.cast_mut().wrapping_offset(plane.stride * y as isize);
                // SAFETY: the row was found within the memory of the frame, which is new and nobody else's.
                fill(index, y, unsafe { slice::from_raw_parts_mut(row, plane.row_bytes) });
            }
        }
        Ok(frame)
    }
}

/// Whether all rows of a plane lie within one of the buffers that a frame holds.
fn is_within(frame: &Frame, plane: Plane) -> bool {
    let first = plane.first as i128;
    let last = first + plane.stride as i128 * (plane.rows as i128 - 1).max(0);
    let (begin, end) = (first.min(last), first.max(last) + plane.row_bytes as i128);
    frame.get().buf.iter().any(|buffer| {
        // SAFETY: a frame's buffers are NULL or valid.
        let Some(buffer) = (unsafe { buffer.as_ref() }) else { return false };
        let memory = buffer.data as i128;
        !plane.first.is_null() && memory <= begin && end <= memory + buffer.size as i128
    })
}

#[cfg(test)]
mod tests {
    use super::super::format;
    use super::*;

    fn gray(width: u32, height: u32) -> Frame {
        Frame::with_picture(width, height, format::GRAY8).expect("no memory")
    }

    #[test]
    fn rows_beyond_the_frames_memory_are_refused() {
        let frame = gray(64, 48);
        assert!(Planes::new(&frame, [(48, 64)]).is_some());
        assert!(Planes::new(&frame, [(4_800, 64)]).is_none(), "more rows than there are");
        assert!(Planes::new(&frame, [(48, 1 << 20)]).is_none(), "longer rows than there are");
        assert!(Planes::new(&frame, [(48, 64), (1, 1)]).is_none(), "a plane that is not there");
        assert!(Planes::new(&frame, [(1, 1); 9]).is_none());
    }

    #[test]
    fn rows_may_end_where_the_memory_does_and_not_a_byte_behind() {
        let frame = gray(64, 48);
        let (begin, stride) = (frame.get().data[0], frame.get().linesize[0] as usize);
        // SAFETY: a gray picture has one buffer, with all of its rows in it.
        let memory = unsafe { &*frame.get().buf[0] };
        let bytes = memory.size - (begin as usize - memory.data as usize);
        let (rows, rest) = (bytes / stride, bytes % stride);
        assert!(Planes::new(&frame, [(rows, stride)]).is_some());
        assert!(Planes::new(&frame, [(rows + 1, rest)]).is_some());
        assert!(Planes::new(&frame, [(rows + 1, rest + 1)]).is_none());
    }

    #[test]
    fn a_picture_may_be_stored_upside_down() {
        let mut frame =
            Frame::filled((16, 3), format::GRAY8, &[(3, 16)], |_, y, row| row.fill(y as u8)).expect("no memory");
        // SAFETY: the frame is this test's own, and its one plane has three rows.
        unsafe {
            let fields = &mut *frame.as_mut_ptr();
            let stride = fields.linesize[0] as isize;
            fields.data[0] = fields.data[0].offset(2 * stride);
            fields.linesize[0] = -fields.linesize[0];
        }
        let planes = Planes::new(&frame, [(3, 16)]).expect("refused");
        assert_eq!([0, 1, 2].map(|y| planes.row(0, y)), [[2; 16], [1; 16], [0; 16]]);
        assert!(Planes::new(&frame, [(4_000, 16)]).is_none());
    }
}
