namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The body of every request as all code here meets it: what is read of it counts against the budget of all bodies, and it must come as fast as the
/// settings say.
/// </summary>
internal sealed class IncomingBody : Stream
{
    /// <summary>What objects made of JSON weigh, at most about so many times the text; the framework makes them of every body that no call of ours reads.</summary>
    private const int WeightOfObjects = 16;

    private readonly Stream _body;
    private readonly BodyOptions _options;
    private readonly TimeProvider _time;
    private CancellationTokenSource? _late, _either;
    private ITimer? _timer;
    private CancellationToken _caller;
    private TimeSpan _waited;
    private long _received;

    internal IncomingBody(Stream body, HeldBytes held, BodyOptions options, TimeProvider time) => (_body, Held, _options, _time) = (body, held, options, time);

    /// <summary>What this call holds. Whoever keeps copies of the body, or makes something of it, takes for them here.</summary>
    public HeldBytes Held { get; }

    /// <summary>The reader takes from <see cref="Held"/> itself, for what it really keeps.</summary>
    public bool CountedByReader { get; set; }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static void Add(IServiceCollection services, BodyOptions options) =>
        services.AddSingleton(options).AddSingleton(new BodyBudget(options.MaxBytes));

    /// <summary>Must stand before everything that may read a body, and behind what answers exceptions.</summary>
    public static void Use(IApplicationBuilder app)
    {
        BodyBudget budget = app.ApplicationServices.GetRequiredService<BodyBudget>();
        BodyOptions options = app.ApplicationServices.GetRequiredService<BodyOptions>();
        TimeProvider time = app.ApplicationServices.GetService<TimeProvider>() ?? TimeProvider.System;
        app.Use(async (context, next) =>
        {
            Stream raw = context.Request.Body;
            using var held = new HeldBytes(budget);
            await using var body = new IncomingBody(raw, held, options, time);
            context.Request.Body = body;
            try
            {
                await next(context);
            }
            finally
            {
                context.Request.Body = raw;
            }
        });
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueTask<int> reading = _body.ReadAsync(buffer, Either(cancellationToken));
        int read = reading.IsCompleted ? await reading : await InTimeAsync(reading, cancellationToken);
        _received += read;
        if (!CountedByReader)
        {
            Held.Take((long)read * WeightOfObjects);
        }
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _timer?.Dispose();
            _either?.Dispose();
            _late?.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Only what is waited for the sender counts: a busy machine is not his fault.</summary>
    /// <exception cref="BodyTooSlowException">All waiting together took longer than the bytes so far allow.</exception>
    private async ValueTask<int> InTimeAsync(ValueTask<int> reading, CancellationToken cancellationToken)
    {
        TimeSpan left = _options.Grace + TimeSpan.FromSeconds((double)_received / _options.MinBytesPerSecond) - _waited;
        long start = _time.GetTimestamp();
        _timer ??= _time.CreateTimer(_ => Late(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        try
        {
            return await reading;
        }
        catch (OperationCanceledException) when (_late!.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BodyTooSlowException();
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _waited += _time.GetElapsedTime(start);
        }
    }

    private void Late()
    {
        try
        {
            _late!.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended just now.
        }
    }

    /// <summary>Ends when the caller's token does, or the body is late. All readings of a call come with the same token.</summary>
    private CancellationToken Either(CancellationToken caller)
    {
        if (_either is null || caller != _caller)
        {
            _either?.Dispose();
            _caller = caller;
            _late ??= new CancellationTokenSource();
            _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _late.Token);
        }
        return _either.Token;
    }
}
