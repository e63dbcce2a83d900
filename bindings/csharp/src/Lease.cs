using System;
using Microsoft.Win32.SafeHandles;

namespace MpegClient
{
    /// <summary>
    /// Frames that are read where they lie in the ring, without copying. They do not change while the lease is held,
    /// whatever becomes of the client, and must not be written to. A lease holds no one up; what it costs is memory, until
    /// it is disposed of. Spans and pointers from it must not be used after that, nor after the lease is out of reach:
    /// hold it with <c>using</c>.
    /// </summary>
    public sealed unsafe class Lease : SafeHandleZeroOrMinusOneIsInvalid
    {
        private Lease() : base(true) { }

        /// <summary>One for each frame.</summary>
        public FrameInfo[] Infos { get; internal set; }
        /// <summary>Shape, numbers and age.</summary>
        public BatchInfo Info { get; internal set; }
        /// <summary>How many frames there are.</summary>
        public int Count => Infos.Length;

        /// <summary>First byte of the first frame; frame i begins Info.FrameStride * i bytes after it.</summary>
        public IntPtr Data
        {
            get
            {
                if (IsClosed)
                    throw new ObjectDisposedException(nameof(Lease));
                return Info.Data;
            }
        }

        /// <summary>The bytes of one frame, (Height, Width, Channels), in the ring itself.</summary>
        public ReadOnlySpan<byte> Frame(int index)
        {
            if (index < 0 || index >= Count)
                throw new ArgumentOutOfRangeException(nameof(index), index, $"expected 0 to {Count - 1}");
            int size = checked((int)(Info.RowStride * Info.Height));
            return new ReadOnlySpan<byte>((byte*)Data + (long)Info.FrameStride * index, size);
        }

        /// <summary>Gives the frames back.</summary>
        protected override bool ReleaseHandle()
        {
            Native.mpegclient_lease_release(handle);
            return true;
        }
    }
}
