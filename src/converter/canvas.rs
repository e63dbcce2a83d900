//! The output's picture: where pixels go, and what is around them.

use crate::frame::Shape;
use crate::geometry::{Orientation, Target};

/// A frame being written.
pub(super) struct Canvas<'a> {
    pub(super) shape: Shape,
    /// The part that the source's picture takes.
    pub(super) target: Target,
    /// A pixel of the rest.
    pub(super) padding: [u8; 4],
    pub(super) to: &'a mut [u8],
}

impl Canvas<'_> {
    fn pixel_bytes(&self) -> usize {
        self.shape.channels() as usize
    }

    /// A row of the target.
    pub(super) fn row(&mut self, y: usize) -> &mut [u8] {
        let size = self.pixel_bytes();
        let begin = (self.target.y as usize + y) * self.shape.row_bytes() + self.target.x as usize * size;
        &mut self.to[begin..][..self.target.width as usize * size]
    }

    /// Colours what lies around the target.
    pub(super) fn pad(&mut self) {
        let size = self.pixel_bytes();
        let Target { x, y, width, height } = self.target;
        let (left, right) = (x as usize * size, (x + width) as usize * size);
        let inner = y as usize..(y + height) as usize;
        for (y, row) in self.to.chunks_exact_mut(self.shape.row_bytes()).enumerate() {
            let parts = if inner.contains(&y) { (0..left, right..row.len()) } else { (0..row.len(), 0..0) };
            for part in [parts.0, parts.1] {
                for pixel in row[part].chunks_exact_mut(size) {
                    pixel.copy_from_slice(&self.padding[..size]);
                }
            }
        }
    }

    /// Writes the target from a picture that is still as the source stores it.
    pub(super) fn turn(&mut self, unturned: &[u8], orientation: Orientation) {
        match self.pixel_bytes() {
            1 => self.turn_pixels::<1>(unturned, orientation),
            3 => self.turn_pixels::<3>(unturned, orientation),
            _ => self.turn_pixels::<4>(unturned, orientation),
        }
    }

    fn turn_pixels<const SIZE: usize>(&mut self, unturned: &[u8], orientation: Orientation) {
        let (from, _) = unturned.as_chunks::<SIZE>();
        let (width, height) = (self.target.width as usize, self.target.height as usize);
        let (wide, high) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
        for y in 0..height {
            // Along a row of the output the stored picture is walked through in even steps.
            let index = |x: usize| {
                let (x, y) = orientation.stored(x, y, wide, high);
                y * wide + x
            };
            let (first, next) = (index(0), index(1.min(width - 1)));
            let step = next.wrapping_sub(first);
            let (to, _) = self.row(y).as_chunks_mut::<SIZE>();
            let mut at = first;
            for to in to {
                *to = from[at];
                at = at.wrapping_add(step);
            }
        }
    }
}
