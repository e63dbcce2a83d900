//! Memory of which a stream or an argument decides how much it is: that it cannot be had is an error, not the end of the
//! process, as it is for the rest.

use crate::error::{Error, Status};
use std::collections::TryReserveError;

/// There is no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        Self
    }
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Self::new(Status::OutOfMemory, "").retryable(true)
    }
}

/// An empty vector with room for so many.
pub(crate) fn room<T>(count: usize) -> Result<Vec<T>, NoMemory> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(count)?;
    Ok(vector)
}

/// So many zeros.
pub(crate) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, NoMemory> {
    let mut vector = room(count)?;
    vector.resize(count, T::default());
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        assert_eq!(zeros::<u64>(usize::MAX), Err(NoMemory));
        assert_eq!(zeros::<u64>(usize::MAX / 16), Err(NoMemory));
        assert_eq!(zeros(3), Ok(vec![0_i16; 3]));
    }
}
