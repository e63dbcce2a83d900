using System;

namespace MpegClient
{
    /// <summary>
    /// What to read. As it is: the newest frames, as many as the parameter read_size says, waiting for the parameter
    /// read_timeout at most.
    /// </summary>
    public sealed class ReadOptions
    {
        /// <summary>Which frames.</summary>
        public Order Order { get; set; }
        /// <summary>Frames wanted, 1 to the parameter cache_size; 0: the parameter read_size.</summary>
        public int Count { get; set; }
        /// <summary>Only frames with a greater number; 0: any.</summary>
        public ulong AfterSeq { get; set; }
        /// <summary>
        /// How long to wait until Count frames exist; null: the parameter read_timeout; TimeSpan.Zero: not at all;
        /// Timeout.InfiniteTimeSpan: without limit.
        /// </summary>
        public TimeSpan? Timeout { get; set; }
        /// <summary>Greatest age of the newest frame since its arrival; null: any.</summary>
        public TimeSpan? MaxAge { get; set; }
        /// <summary>The batch may hold frames of several connections.</summary>
        public bool MixGenerations { get; set; }
    }

    /// <summary>Frames with the memory they lie in, the caller's own: an array (Count, Height, Width, Channels).</summary>
    public sealed class Batch
    {
        internal Batch(byte[] data, FrameInfo[] infos, BatchInfo info)
        {
            Data = data;
            Infos = infos;
            Info = info;
        }

        /// <summary>The pixels, tightly packed, oldest frame first.</summary>
        public byte[] Data { get; }
        /// <summary>One for each frame.</summary>
        public FrameInfo[] Infos { get; }
        /// <summary>Shape, numbers and age.</summary>
        public BatchInfo Info { get; }
        /// <summary>How many frames there are.</summary>
        public int Count => Infos.Length;

        /// <summary>The bytes of one frame, (Height, Width, Channels), in the batch's memory.</summary>
        public ReadOnlySpan<byte> Frame(int index)
        {
            if (index < 0 || index >= Count)
                throw new ArgumentOutOfRangeException(nameof(index), index, $"expected 0 to {Count - 1}");
            int size = (int)Info.FrameStride;
            return new ReadOnlySpan<byte>(Data, index * size, size);
        }
    }

    /// <summary>The shape of one frame: Height rows of Width pixels of Channels bytes.</summary>
    public struct Shape
    {
        internal Shape(uint height, uint width, uint channels)
        {
            Height = (int)height;
            Width = (int)width;
            Channels = (int)channels;
        }

        /// <summary>Rows.</summary>
        public int Height { get; }
        /// <summary>Pixels of a row.</summary>
        public int Width { get; }
        /// <summary>Bytes of a pixel.</summary>
        public int Channels { get; }
        /// <summary>Bytes of a frame.</summary>
        public int FrameBytes => Height * Width * Channels;
    }
}
