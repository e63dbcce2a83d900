//! Events, the descriptor, and waiting on many clients.

use super::handle::{Handle, Out, OutStruct, cancel_token, fixed_text, guard, with_client};
use super::types::{MpegClient, MpegClientCancel, MpegClientEvent};
use crate::client::{Client, wait_any};
use crate::error::{Error, Result, Status};

/// Takes the oldest event that nobody has taken yet: changes of state and of the source's pictures, connections made
/// again, frames dropped. At most 64 wait; what is lost beyond is told by an event.
///
/// `event` has its struct_size set.
/// Returns: OK; NO_EVENT; INVALID_ARGUMENT. Blocks: no. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_next_event(client: *mut MpegClient, event: *mut MpegClientEvent) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            let out = OutStruct::new(event, "event")?;
            let event = client.next_event().ok_or_else(|| Error::new(Status::NoEvent, ""))?;
            out.write(MpegClientEvent {
                struct_size: 0,
                kind: event.kind.code(),
                state: event.state.code(),
                reserved: 0,
                monotonic_ns: event.monotonic_ns,
                generation: event.generation,
                value: event.value,
                text: fixed_text(&event.text),
            });
            Ok(())
        })
    }
}

/// Gives a descriptor for poll, epoll and event loops: readable while an event waits, or a frame newer than the one told
/// to mpegclient_event_arm is there. Only poll it: do not read it, write to it or close it; it is the client's. Once
/// awake, take events until NO_EVENT. It may be asked for in every state, before setup too.
///
/// `descriptor` receives it: non-blocking, close-on-exec, the same one at every call.
/// Returns: OK; INVALID_ARGUMENT; SYSTEM. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_event_fd(client: *mut MpegClient, descriptor: *mut i32) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe {
        with_client(client, |client| {
            let out = Out::new(descriptor, "descriptor")?;
            out.write(client.event_fd()?);
            Ok(())
        })
    }
}

/// Has the descriptor become readable once a frame newer than this one is there. Holds until it is called again: after
/// each read call it with the last frame's number, or the descriptor stays readable.
///
/// `after_seq` is a frame's number, such as the last one that was read; UINT64_MAX, as at first: frames are not told.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_event_arm(client: *mut MpegClient, after_seq: u64) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe {
        with_client(client, |client| {
            client.event_arm(after_seq);
            Ok(())
        })
    }
}

/// Waits until one of several clients has a frame newer than the number given for it.
///
/// Where several have one, the client that was returned least recently is next, so that a slow caller gets all of them in
/// turn. Each set of clients takes turns of its own, in whatever order and on whatever thread it is passed.
///
/// `clients` and `after_seqs` have `count` elements each, 1 or more. `timeout_ms`: 0: look only; below 0: no limit.
/// `cancel` ends the wait; it may be NULL. `index` receives the place of that client in `clients`.
/// Returns: OK; INVALID_ARGUMENT; TIMEOUT; INTERRUPTED (one of them is); CANCELLED; BAD_STATE, STOPPED, ENDED or FAILED
/// if none of them is living, as the first one is. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_wait_any(
    clients: *const *const MpegClient,
    after_seqs: *const u64,
    count: usize,
    timeout_ms: i64,
    cancel: *const MpegClientCancel,
    index: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller vouches for all of them.
        unsafe {
            let out = Out::new(index, "index")?;
            let clients = client_list(clients, after_seqs, count)?;
            out.write(wait_any(&clients, timeout_ms, cancel_token(cancel)?)?);
        }
        Ok(())
    })
}

/// # Safety
/// The arrays are NULL or have `count` elements; the clients are NULL or live, and outlive the result.
unsafe fn client_list<'a>(
    clients: *const *const MpegClient,
    after_seqs: *const u64,
    count: usize,
) -> Result<Vec<(&'a Client, u64)>> {
    // More clients than a process can have descriptors for; a greater number is memory that was not initialised.
    const MOST: usize = 1 << 20;
    if !(1..=MOST).contains(&count) {
        return Err(Error::argument("count", count, "the number of clients, 1 or more"));
    }
    for (name, is_null) in [("clients", clients.is_null()), ("after_seqs", after_seqs.is_null())] {
        if is_null {
            return Err(Error::argument(name, "NULL", "an array of count elements"));
        }
    }
    (0..count)
        .map(|place| {
            // SAFETY: neither array is NULL, and the caller vouches for the rest.
            let (client, after_seq) = unsafe {
                (
                    clients.add(place).read_unaligned().cast::<Handle<Client>>().as_ref(),
                    after_seqs.add(place).read_unaligned(),
                )
            };
            let client = client.ok_or_else(|| Error::argument(&format!("clients[{place}]"), "NULL", "a client"))?;
            Ok((client.usable()?, after_seq))
        })
        .collect()
}
