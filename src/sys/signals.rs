//! The signal mask of the library's threads.

use std::mem::MaybeUninit;
use std::ptr::null;

/// Signals that a fault of the thread itself raises. Blocked, they would end the process past the host's handlers.
const SYNCHRONOUS: [libc::c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS, libc::SIGABRT];

/// Blocks the host's signals on this thread until the result is dropped. A thread that is created meanwhile, and every
/// thread that it creates, has them blocked from its first instruction on.
///
/// Signals that are sent to the process then reach a thread of the host: its handlers run there, and what it has blocked
/// to read by signalfd or sigwait stays pending instead of ending the process.
pub(crate) fn block_signals() -> BlockedSignals {
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    let blocked = blocked_signals();
    // SAFETY: both sets are valid for the call, which writes the mask before it to the second.
    let failed = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, before.as_mut_ptr()) };
    // SAFETY: written by the call above if that succeeded. It can fail for an unknown `how` only.
    BlockedSignals { before: (failed == 0).then(|| unsafe { before.assume_init() }) }
}

fn blocked_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is valid for the calls, and initialised by the first of them.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        let open =
            SYNCHRONOUS.into_iter().chain((libc::SIGRTMIN()..=libc::SIGRTMAX()).filter(|signal| is_handled(*signal)));
        for signal in open {
            libc::sigdelset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Whether a signal has a handler. A language runtime (Mono) suspends the threads that have called into it, as ours do by
/// a log callback, by real-time signals, and waits for each of them to answer.
fn is_handled(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: only reads the present action, into a place that is valid for the call.
    let failed = unsafe { libc::sigaction(signal, null(), action.as_mut_ptr()) };
    // SAFETY: written by the call above where that succeeded.
    failed == 0 && ![libc::SIG_DFL, libc::SIG_IGN].contains(unsafe { &action.assume_init_ref().sa_sigaction })
}

/// The signal mask to restore when this is dropped.
pub(crate) struct BlockedSignals {
    before: Option<libc::sigset_t>,
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: a valid set; the mask before it is not asked for.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_blocked(signal: libc::c_int) -> bool {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: only reads the present mask, into a place that is valid for the calls.
        unsafe {
            assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, null(), mask.as_mut_ptr()), 0);
            libc::sigismember(mask.as_ptr(), signal) == 1
        }
    }

    #[test]
    fn a_thread_that_is_created_meanwhile_has_signals_blocked_and_its_creator_has_its_mask_back() {
        const HOSTS: [libc::c_int; 5] = [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGCHLD, libc::SIGPIPE];
        let before = HOSTS.map(is_blocked);
        let blocked = block_signals();
        let thread = std::thread::spawn(|| (HOSTS.map(is_blocked), SYNCHRONOUS.map(is_blocked)));
        drop(blocked);
        assert_eq!(thread.join().expect("panicked"), ([true; 5], [false; 7]));
        assert_eq!(HOSTS.map(is_blocked), before);
    }
}
