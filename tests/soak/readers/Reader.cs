// One of the four readers of the soak: the C# binding. See PROTOCOL in ../readers.py.
//
//     mono Reader.exe "URL KEY=VALUE ..." ...
using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using MpegClient;

// Compares a frame's times with those of the frames before: within a connection they go on with the local clock.
sealed class FrameClock
{
    const long Tolerance = 30000000000;

    ulong generation;
    long firstPts, firstArrival, last;

    public ulong Back { get; private set; }
    public ulong Apart { get; private set; }
    public ulong Misdated { get; private set; }
    public long Span { get; private set; }
    public long Dated { get; private set; }

    public void Note(FrameInfo frame)
    {
        if (frame.Pts == null)
            return;
        if (frame.Generation != generation)
        {
            generation = frame.Generation;
            firstPts = last = frame.PtsNs;
            firstArrival = frame.ArrivalMonotonicNs;
        }
        long span = frame.PtsNs - firstPts;
        if (frame.PtsNs < last)
            Back++;
        if (Math.Abs(span - (frame.ArrivalMonotonicNs - firstArrival)) > Tolerance)
            Apart++;
        if (frame.CaptureClock != CaptureClock.None)
        {
            Dated = Math.Max(Dated, span);
            if (Math.Abs(frame.CaptureTimeNs - frame.ArrivalTimeNs) > Tolerance)
                Misdated++;
        }
        last = frame.PtsNs;
        Span = Math.Max(Span, span);
    }
}

// A stream and the thread that reads it.
sealed class Stream : IDisposable
{
    const int BatchSize = 8;
    static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan StopLimit = TimeSpan.FromMilliseconds(500);

    readonly Client client = new Client();
    readonly Thread thread;
    // Guards what follows.
    readonly object guard = new object();
    readonly FrameClock clock = new FrameClock();
    TimeSpan late;
    string call = "none";

    public static volatile bool IsOver;

    public Stream(string words)
    {
        var fields = words.Split(' ');
        foreach (var parameter in fields.Skip(1))
        {
            var pair = parameter.Split(new[] { '=' }, 2);
            client.SetParameter(pair[0], pair[1]);
        }
        Timed("setup", TimeSpan.Zero, () => client.Setup(fields[0], TimeSpan.Zero));
        Timed("start", TimeSpan.Zero, client.Start);
        thread = new Thread(Read);
        thread.Start();
    }

    // Calls against a bound; tells whether the call succeeded.
    bool Timed(string name, TimeSpan bound, Action action)
    {
        var watch = Stopwatch.StartNew();
        bool succeeded = true;
        try
        {
            action();
        }
        catch (MpegClientException)
        {
            succeeded = false;
        }
        var beyond = watch.Elapsed - bound;
        lock (guard)
        {
            if (beyond > late)
            {
                late = beyond;
                call = name;
            }
        }
        return succeeded;
    }

    void Read()
    {
        byte[] buffer = null;
        var infos = new FrameInfo[BatchSize];
        ulong after = 0;
        for (int round = 0; !IsOver; round++)
        {
            if (buffer == null)
                buffer = Room();
            else
                after = ReadOn(buffer, infos, after);
            if (round % 5 == 0)
                Timed("acquire", TimeSpan.Zero, Look);
            if (round % 25 == 0)
                Timed("describe", TimeSpan.Zero, Ask);
        }
    }

    // Memory for a batch; null while the frames' size is not known.
    byte[] Room()
    {
        byte[] room = null;
        Timed("output_shape", Wait, () => room = new byte[BatchSize * client.OutputShape(Wait).FrameBytes]);
        return room;
    }

    ulong ReadOn(byte[] buffer, FrameInfo[] infos, ulong after)
    {
        var options = new ReadOptions { Order = Order.Next, Count = BatchSize, AfterSeq = after, Timeout = Wait };
        var info = default(BatchInfo);
        if (!Timed("extract", Wait, () => info = client.ReadInto(buffer, infos, options)))
        {
            Thread.Sleep(10);
            return after;
        }
        lock (guard)
        {
            foreach (var frame in infos.Take((int)info.Count))
                clock.Note(frame);
        }
        return info.LastSeq;
    }

    void Look()
    {
        client.Acquire(new ReadOptions { Count = BatchSize / 2, Timeout = TimeSpan.Zero }).Dispose();
    }

    void Ask()
    {
        client.Describe();
        while (client.NextEvent() != null)
        {
        }
        client.StreamInfo();
    }

    public void Restart()
    {
        Timed("terminate", StopLimit, client.Terminate);
        Timed("start", TimeSpan.Zero, client.Start);
    }

    public void Stop()
    {
        thread.Join();
        Timed("terminate", StopLimit, client.Terminate);
        Timed("clear", StopLimit, client.Clear);
    }

    public void Dispose() => client.Dispose();

    public string Report()
    {
        var stats = client.Stats();
        lock (guard)
        {
            var text = string.Format(
                CultureInfo.InvariantCulture,
                "state {0} frames {1} connects {2} back {3} apart {4} misdated {5} span {6} dated {7} late {8:F1} call {9}",
                (int)client.State, stats.Published, stats.Connects, clock.Back, clock.Apart, clock.Misdated,
                clock.Span / 1000000, clock.Dated / 1000000, late.TotalMilliseconds, call);
            late = TimeSpan.Zero;
            call = "none";
            return text;
        }
    }
}

static class Reader
{
    // struct mallinfo2 of the C library.
    struct MallInfo
    {
        public UIntPtr Arena, OrdBlks, SmBlks, Hblks, HblkHd, UsmBlks, FsmBlks, UordBlks, FordBlks, KeepCost;
    }

    [DllImport("libc.so.6")]
    static extern MallInfo mallinfo2();

    [DllImport("libc.so.6")]
    static extern int malloc_trim(UIntPtr pad);

    static void Report(Stream[] streams)
    {
        for (int index = 0; index < streams.Length; index++)
            Console.WriteLine($"stream {index} {streams[index].Report()}");
        // What malloc keeps for later says nothing of a leak.
        malloc_trim(UIntPtr.Zero);
        var heap = mallinfo2();
        Console.WriteLine($"process heap {heap.UordBlks.ToUInt64() + heap.HblkHd.ToUInt64()}");
    }

    static void ReportEverySecond(Stream[] streams)
    {
        for (; !Stream.IsOver; Thread.Sleep(1000))
            Report(streams);
    }

    static void Main(string[] arguments)
    {
        var streams = arguments.Select(words => new Stream(words)).ToArray();
        var reporter = new Thread(() => ReportEverySecond(streams));
        reporter.Start();
        for (var line = Console.ReadLine(); line != null; line = Console.ReadLine())
            streams[int.Parse(line)].Restart();
        Stream.IsOver = true;
        reporter.Join();
        foreach (var stream in streams)
            stream.Stop();
        Report(streams);
        foreach (var stream in streams)
            stream.Dispose();
    }
}
