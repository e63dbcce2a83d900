//! The ring's memory: slots of one frame each, the whole of them mapped twice back to back.
//!
//! Any run of consecutive slots is thereby one block of memory, also where it wraps. Who may touch a slot is decided
//! here, at run time, by one atomic a slot: any number of readers, or one writer. The types below cannot be had
//! otherwise, so that the rest of the crate needs no `unsafe` to use them.
#![expect(unsafe_code, reason = "the one place that maps memory and lends slices of it")]

use crate::error::{Error, Result, Status};
use crate::sync::{Arc, AtomicU32, Ordering, Witness};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;

/// A slot that is being written; other values are the number of its readers.
const WRITING: u32 = u32::MAX;

/// Rounding the number of slots up may cost this much before the slots are padded instead.
const MAX_ROUNDING_BYTES: usize = 64 << 20;

/// More memory than this is unmapped by a thread of its own: it takes the system about 0.1 s a GiB, which nobody who gives
/// up a ring or a lease should wait for.
const MAX_UNMAPPED_AT_ONCE: usize = 64 << 20;

/// What is unmapped in one step. Meanwhile no other thread of the process can map memory.
const UNMAPPED_IN_ONE_STEP: usize = 16 << 20;

/// How frames lie in a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of a frame.
    pub(super) frame_bytes: usize,
    /// Bytes from one slot to the next; `frame_bytes` unless the slots are padded.
    pub(super) stride: usize,
    /// Number of slots.
    pub(super) slots: usize,
}

impl Layout {
    /// The layout for at least this many slots, whose whole is a number of pages so that it can be mapped twice.
    pub(super) fn new(frame_bytes: usize, slots: usize) -> Option<Self> {
        Self::with_page(frame_bytes, slots, rustix::param::page_size())
    }

    fn with_page(frame_bytes: usize, slots: usize, page: usize) -> Option<Self> {
        // A multiple of this many tightly packed frames is a number of pages.
        let group = page / gcd(page, frame_bytes.max(1));
        let rounded = slots.checked_next_multiple_of(group)?;
        let needed = slots.checked_mul(frame_bytes)?;
        let extra = (rounded - slots).checked_mul(frame_bytes)?;
        let layout = if extra > MAX_ROUNDING_BYTES || extra > needed {
            Self { frame_bytes, stride: frame_bytes.checked_next_multiple_of(page)?, slots }
        } else {
            Self { frame_bytes, stride: frame_bytes, slots: rounded }
        };
        // Twice that is what gets mapped.
        layout.stride.checked_mul(layout.slots)?.checked_mul(2)?;
        Some(layout)
    }

    /// The slot of the frame with this number.
    pub(super) fn slot_of(self, seq: u64) -> usize {
        (seq % self.slots as u64) as usize
    }

    /// Bytes of all slots together.
    pub(super) fn bytes(self) -> usize {
        self.stride * self.slots
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The memory of a ring. Lives as long as any slot of it is lent.
pub(super) struct Mapping {
    base: NonNull<u8>,
    pub(super) layout: Layout,
    /// Whether the second half shows the same memory; if not, what is written is written to both.
    mirrored: bool,
    slots: Box<[AtomicU32]>,
    /// One a slot, told of every access.
    witnesses: Box<[Witness]>,
}

// SAFETY: the memory belongs to the mapping alone, and `slots` decides who may touch which part of it.
unsafe impl Send for Mapping {}
// SAFETY: as above; every access goes through `slots`, with acquire and release.
unsafe impl Sync for Mapping {}

impl Mapping {
    pub(super) fn new(layout: Layout) -> Result<Arc<Self>> {
        match map_twice(layout.bytes()) {
            Ok(base) => Ok(Self::over(base, layout, true)),
            Err(_) => Ok(Self::over(map_plain(layout.bytes())?, layout, false)),
        }
    }

    /// Slots over memory that is there.
    fn over(base: NonNull<u8>, layout: Layout, mirrored: bool) -> Arc<Self> {
        let slots = (0..layout.slots).map(|_| AtomicU32::new(0)).collect();
        let witnesses = (0..layout.slots).map(|_| Default::default()).collect();
        Arc::new(Self { base, layout, mirrored, slots, witnesses })
    }

    /// Lends a slot for writing; `None` while anybody reads or writes it.
    pub(super) fn write(self: &Arc<Self>, slot: usize) -> Option<SlotWriter> {
        let state = self.slots.get(slot)?;
        state.compare_exchange(0, WRITING, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(SlotWriter { mapping: Arc::clone(self), slot, readers_after: 0 })
    }

    /// Whether nobody reads or writes a slot.
    pub(super) fn is_free(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|state| state.load(Ordering::Acquire) == 0)
    }

    /// Lends a run of slots, which may wrap, for reading; `None` while any of them is being written.
    pub(super) fn read(self: &Arc<Self>, first: usize, count: usize) -> Option<Window> {
        if first >= self.layout.slots || count > self.layout.slots {
            return None;
        }
        // Grown slot by slot, so that a refusal midway gives back what was taken.
        let mut window = Window { mapping: Arc::clone(self), held: first..first };
        (0..count).all(|_| window.extend()).then_some(window)
    }

    /// Adds a reader to a slot. Returns whether it did: not while the slot is being written.
    fn hold(&self, slot: usize) -> bool {
        let more = |readers| (readers < WRITING - 1).then(|| readers + 1);
        self.slots[slot % self.layout.slots].fetch_update(Ordering::Acquire, Ordering::Relaxed, more).is_ok()
    }

    fn witness(&self, slot: usize) -> &Witness {
        &self.witnesses[slot % self.layout.slots]
    }

    fn release_reader(&self, slot: usize) {
        self.slots[slot % self.layout.slots].fetch_sub(1, Ordering::Release);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let region = Region { base: self.base, bytes: 2 * self.layout.bytes() };
        let is_left_to_thread =
            region.bytes > MAX_UNMAPPED_AT_ONCE && crate::sys::spawn("mpegclient-free", move || region.unmap()).is_ok();
        if !is_left_to_thread {
            region.unmap();
        }
    }
}

/// Both halves of a mapping that nobody holds a part of any more.
#[derive(Clone, Copy)]
struct Region {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: nobody else has it.
unsafe impl Send for Region {}

impl Region {
    fn unmap(self) {
        for step in (0..self.bytes).step_by(UNMAPPED_IN_ONE_STEP) {
            let bytes = UNMAPPED_IN_ONE_STEP.min(self.bytes - step);
            // SAFETY: part of what `map_twice` or `map_plain` mapped, in whole pages, and unmapped once.
            let unmapped = unsafe { munmap(self.base.as_ptr().add(step).cast(), bytes) };
            debug_assert!(unmapped.is_ok());
        }
    }
}

/// One slot, for its only writer.
pub(super) struct SlotWriter {
    mapping: Arc<Mapping>,
    slot: usize,
    /// What the slot's state becomes: free, or held by one reader.
    readers_after: u32,
}

impl SlotWriter {
    pub(super) fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    /// Completes the slot: from here on it may be read.
    pub(super) fn finish(self) {
        self.write_mirror();
    }

    /// Completes the slot, and holds it for reading.
    pub(super) fn finish_and_read(mut self) -> Window {
        self.write_mirror();
        self.readers_after = 1;
        Window { mapping: Arc::clone(&self.mapping), held: self.slot..self.slot + 1 }
    }

    fn write_mirror(&self) {
        if !self.mapping.mirrored {
            let layout = self.mapping.layout;
            self.mapping.witness(self.slot).writes();
            // SAFETY: the same slot of the second half, which nobody reads while this one is being written.
            unsafe {
                let from = self.mapping.base.as_ptr().add(self.slot * layout.stride);
                from.add(layout.bytes()).copy_from_nonoverlapping(from, layout.frame_bytes);
            }
        }
    }
}

impl Deref for SlotWriter {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let layout = self.mapping.layout;
        self.mapping.witness(self.slot).reads();
        // SAFETY: within the mapping; this writer is the only one to touch the slot.
        unsafe {
            let start = self.mapping.base.as_ptr().add(self.slot * layout.stride);
            std::slice::from_raw_parts(start, layout.frame_bytes)
        }
    }
}

impl DerefMut for SlotWriter {
    fn deref_mut(&mut self) -> &mut [u8] {
        let layout = self.mapping.layout;
        self.mapping.witness(self.slot).writes();
        // SAFETY: as in `deref`.
        unsafe {
            let start = self.mapping.base.as_ptr().add(self.slot * layout.stride);
            std::slice::from_raw_parts_mut(start, layout.frame_bytes)
        }
    }
}

impl Drop for SlotWriter {
    fn drop(&mut self) {
        self.mapping.slots[self.slot].store(self.readers_after, Ordering::Release);
    }
}

/// A run of slots, for one of their readers.
pub(crate) struct Window {
    mapping: Arc<Mapping>,
    /// What is held; the end may lie beyond the last slot, where the second half goes on.
    held: Range<usize>,
}

impl Window {
    /// All that is held, as one block: a frame every [`stride`](Self::stride) bytes, up to the end of the last.
    pub(super) fn bytes(&self) -> &[u8] {
        let layout = self.mapping.layout;
        let Some(others) = self.held.len().checked_sub(1) else {
            return &[];
        };
        self.held.clone().for_each(|slot| self.mapping.witness(slot).reads());
        // SAFETY: within the two halves, and all of it held for reading; what pads a slot is never written.
        unsafe {
            let start = self.mapping.base.as_ptr().add(self.held.start * layout.stride);
            std::slice::from_raw_parts(start, others * layout.stride + layout.frame_bytes)
        }
    }

    /// Whether it is held in this memory.
    pub(super) fn is_of(&self, mapping: &Arc<Mapping>) -> bool {
        Arc::ptr_eq(&self.mapping, mapping)
    }

    /// Holds the next slot as well. Returns whether it does: not one that is being written.
    pub(super) fn extend(&mut self) -> bool {
        let is_held = self.held.len() < self.mapping.layout.slots && self.mapping.hold(self.held.end);
        self.held.end += usize::from(is_held);
        is_held
    }

    /// How many frames are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Bytes of a frame.
    pub(super) fn frame_bytes(&self) -> usize {
        self.mapping.layout.frame_bytes
    }

    /// Bytes from one frame to the next.
    pub(super) fn stride(&self) -> usize {
        self.mapping.layout.stride
    }

    /// The frame at this place of what is held.
    pub(super) fn frame(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(self.stride())?;
        self.bytes().get(start..)?.get(..self.frame_bytes())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        for slot in self.held.clone() {
            self.mapping.release_reader(slot);
        }
    }
}

/// Maps memory twice, back to back.
///
/// It is shared memory without a file, all of which the system accounts for here: what it cannot commit itself to is an
/// error now. Of a memory file each page is accounted for when it is first touched, and where there is none the process
/// gets SIGBUS.
fn map_twice(bytes: usize) -> rustix::io::Result<NonNull<u8>> {
    // It knows no two addresses for one place.
    if cfg!(miri) {
        return Err(Errno::NOSYS);
    }
    // SAFETY: a new mapping at a place of the system's choice, into which the two halves are then put. Of shared memory,
    // mremap with the old size 0 makes a second mapping.
    unsafe {
        let base = mmap_anonymous(std::ptr::null_mut(), 2 * bytes, ProtFlags::empty(), MapFlags::PRIVATE)?;
        let second = base.cast::<u8>().add(bytes).cast::<c_void>();
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let halves =
            mmap_anonymous(base, bytes, access, MapFlags::SHARED | MapFlags::FIXED).and_then(
                |first| match libc::mremap(first, 0, bytes, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, second) {
                    libc::MAP_FAILED => {
                        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOMEM))
                    }
                    _ => Ok(()),
                },
            );
        if let Err(error) = halves {
            let _ = munmap(base, 2 * bytes);
            return Err(error);
        }
        NonNull::new(base.cast()).ok_or(Errno::NOMEM)
    }
}

fn map_plain(bytes: usize) -> Result<NonNull<u8>> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at a place of the system's choice.
    let base = unsafe { mmap_anonymous(std::ptr::null_mut(), 2 * bytes, access, MapFlags::PRIVATE) };
    base.ok().and_then(|base| NonNull::new(base.cast())).ok_or_else(|| {
        // A live stream goes on once others have given some back.
        Error::new(Status::OutOfMemory, format!("a ring of {bytes} bytes could not be mapped")).retryable(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    #[test]
    fn a_layout_is_a_number_of_pages_and_holds_what_was_asked() {
        for (frame_bytes, slots) in [(480 * 360 * 3, 18), (1920 * 1080 * 3, 14), (1, 2), (321 * 241 * 3, 9), (4096, 1)]
        {
            let layout = Layout::with_page(frame_bytes, slots, PAGE).expect("no layout");
            assert_eq!(layout.bytes() % PAGE, 0, "{layout:?}");
            assert!(layout.slots >= slots && layout.stride >= frame_bytes);
            assert!(layout.bytes() <= 2 * slots * frame_bytes.max(PAGE), "{layout:?}");
        }
    }

    #[test]
    fn common_sizes_are_tightly_packed_and_odd_ones_padded() {
        assert_eq!(Layout::with_page(480 * 360 * 3, 16, PAGE).map(|l| (l.stride, l.slots)), Some((518_400, 16)));
        assert_eq!(Layout::with_page(1920 * 1080 * 3, 14, PAGE).map(|l| l.slots), Some(16));
        let odd = Layout::with_page(321 * 241 * 3, 9, PAGE).expect("no layout");
        assert_eq!((odd.stride, odd.slots), (233_472, 9));
    }

    #[test]
    fn a_layout_beyond_memory_is_none() {
        assert_eq!(Layout::with_page(usize::MAX / 2, 3, PAGE), None);
    }

    fn mapping(slots: usize) -> Arc<Mapping> {
        Mapping::new(Layout::new(PAGE, slots).expect("no layout")).expect("no memory")
    }

    #[test]
    fn a_window_that_wraps_is_seen_in_order() {
        let mapping = mapping(4);
        for slot in 0..4 {
            let mut writer = mapping.write(slot).expect("busy");
            writer.fill(slot as u8 + 1);
            writer.finish();
        }
        let window = mapping.read(3, 3).expect("busy");
        let seen: Vec<u8> = (0..3).map(|i| window.frame(i).expect("not held")[PAGE - 1]).collect();
        assert_eq!(seen, [4, 1, 2]);
        assert!(window.frame(3).is_none() && window.frame(usize::MAX).is_none());
        let whole: Vec<u8> = window.bytes().chunks(PAGE).map(|frame| frame[PAGE - 1]).collect();
        assert_eq!(whole, seen);
    }

    #[test]
    fn padded_slots_are_one_block_that_ends_with_the_last_frame() {
        let layout = Layout { frame_bytes: 100, stride: PAGE, slots: 3 };
        let mapping = Mapping::new(layout).expect("no memory");
        for slot in 0..3 {
            let mut writer = mapping.write(slot).expect("busy");
            writer.fill(slot as u8 + 1);
            writer.finish();
        }
        let window = mapping.read(1, 3).expect("busy");
        let expected = |frame: usize, byte: usize| if byte < 100 { [2, 3, 1][frame] } else { 0 };
        let whole: Vec<u8> = (0..2 * PAGE + 100).map(|at| expected(at / PAGE, at % PAGE)).collect();
        assert!(window.bytes() == whole && window.frame(2) == Some(&[1; 100][..]));
    }

    #[test]
    fn without_double_mapping_the_second_half_is_written_too() {
        let layout = Layout::new(PAGE, 2).expect("no layout");
        let base = map_plain(layout.bytes()).expect("no memory");
        let mapping = Mapping::over(base, layout, false);
        for slot in 0..2 {
            let mut writer = mapping.write(slot).expect("busy");
            writer.fill(slot as u8 + 1);
            writer.finish();
        }
        let window = mapping.read(1, 2).expect("busy");
        assert_eq!(window.frame(1).expect("not held")[0], 1);
    }

    #[test]
    fn readers_and_a_writer_exclude_each_other() {
        let mapping = mapping(4);
        let window = mapping.read(0, 2).expect("busy");
        let second = mapping.read(1, 1).expect("readers share");
        assert!(mapping.write(0).is_none() && mapping.write(1).is_none());
        drop(window);
        assert!(mapping.is_free(0) && !mapping.is_free(1));
        let writer = mapping.write(0).expect("given back, yet busy");
        assert!(mapping.read(3, 2).is_none(), "reaches the slot being written");
        assert!(mapping.write(3).is_some(), "a refused window must give back what it took");
        drop((second, writer));
        assert!(mapping.read(0, 4).is_some());
    }

    #[test]
    fn a_slot_is_written_and_then_held_without_a_moment_in_between() {
        let mapping = mapping(2);
        let mut writer = mapping.write(1).expect("busy");
        writer.fill(7);
        let window = writer.finish_and_read();
        assert!(window.len() == 1 && window.bytes().iter().all(|byte| *byte == 7));
        assert!(mapping.write(1).is_none());
        drop(window);
        assert!(mapping.is_free(1));
    }

    #[test]
    fn both_halves_show_the_same_memory() {
        let mapping = mapping(2);
        assert!(mapping.mirrored);
        let first = mapping.base.as_ptr();
        // SAFETY: within the mapping, and nobody else has it.
        let seen = unsafe {
            first.write_volatile(7);
            first.add(mapping.layout.bytes()).read_volatile()
        };
        assert_eq!(seen, 7);
    }

    /// The system's memory and swap space, in bytes; `None` where it commits itself to any amount.
    fn commit_limit() -> Option<usize> {
        if std::fs::read_to_string("/proc/sys/vm/overcommit_memory").ok()?.trim() == "1" {
            return None;
        }
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let amount = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        let kib = |name| amount(name).and_then(|text| text.parse::<usize>().ok());
        Some((kib("MemTotal:")? + kib("SwapTotal:")?) << 10)
    }

    #[test]
    fn memory_that_the_system_does_not_have_is_an_error_before_it_is_touched() {
        let Some(limit) = commit_limit() else { return };
        let layout = Layout::new(limit.next_multiple_of(PAGE) + PAGE, 1).expect("no layout");
        let error = Mapping::new(layout).err().expect("taken");
        assert_eq!((error.status, error.retryable), (Status::OutOfMemory, true));
    }

    #[test]
    fn large_memory_is_unmapped_too() {
        let layout = Layout::new(MAX_UNMAPPED_AT_ONCE, 1).expect("no layout");
        let mapping = Mapping::new(layout).expect("no memory");
        let begin = mapping.base.as_ptr() as usize;
        assert!(is_mapped(begin));
        drop(mapping);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while is_mapped(begin) || is_mapped(begin + 2 * layout.bytes() - PAGE) {
            assert!(std::time::Instant::now() < deadline, "still mapped");
            std::thread::yield_now();
        }
    }

    /// Whether a page is one of memory that is shared.
    fn is_mapped(address: usize) -> bool {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("no maps");
        maps.lines().any(|line| {
            let (range, rest) = line.split_once(' ').expect("no range");
            let (from, to) = range.split_once('-').expect("no range");
            let number = |text| usize::from_str_radix(text, 16).expect("no number");
            rest.starts_with("rw-s") && (number(from)..number(to)).contains(&address)
        })
    }

    #[test]
    fn nonsense_is_refused() {
        let mapping = mapping(2);
        assert!(mapping.read(2, 1).is_none() && mapping.read(0, 3).is_none() && mapping.write(2).is_none());
    }
}
