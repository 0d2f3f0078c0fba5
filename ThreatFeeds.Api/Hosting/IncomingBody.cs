using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The body of every request as all code here meets it: what is read of it counts against the budget of all bodies, and it must come as fast as the
/// settings say.
/// </summary>
internal sealed class IncomingBody : ReadingStream
{
    /// <summary>What objects made of JSON weigh, at most about so many times the text; the framework makes them of every body that no call of ours reads.</summary>
    private const int WeightOfObjects = 16;

    private readonly PipeReader _body;
    private readonly BodyOptions _options;
    private readonly TimeProvider _time;
    private ITimer? _timer;
    private TimeSpan _left;
    private volatile bool _late;

    internal IncomingBody(PipeReader body, HeldBytes held, BodyOptions options, TimeProvider time) => (_body, Held, _options, _time, _left) = (body, held, options, time, options.Grace);

    /// <summary>What this call holds. Whoever keeps copies of the body, or makes something of it, takes for them here.</summary>
    public HeldBytes Held { get; }

    /// <summary>The reader takes from <see cref="Held"/> itself, for what it really keeps.</summary>
    public bool CountedByReader { get; set; }

    public static void Add(IServiceCollection services, BodyOptions options) =>
        services.AddSingleton(options).AddSingleton(new BodyBudget(options.MaxBytes)).AddSingleton(new AnswerBudget(options.AnswersMaxBytes)).AddSingleton(new PageBudget(options.MaxBytes / 4));

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
            await using var body = new IncomingBody(context.Request.BodyReader, held, options, time);
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
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadResult result = await SentAsync(cancellationToken);
            int read = (int)Math.Min(result.Buffer.Length, buffer.Length);
            result.Buffer.Slice(0, read).CopyTo(buffer.Span);
            // Behind this the sequence is the pipe's again.
            _body.AdvanceTo(result.Buffer.GetPosition(read));
            if (read > 0 || result.IsCompleted || buffer.IsEmpty)
            {
                return Count(read);
            }
            if (result.IsCanceled && _late && !cancellationToken.IsCancellationRequested)
            {
                throw new BodyTooSlowException();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _timer?.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Count(int read)
    {
        // What came quickly buys no long silence later: a budget that is full of bodies whose senders say nothing shuts all others out.
        TimeSpan left = _left + TimeSpan.FromSeconds((double)read / _options.MinBytesPerSecond);
        _left = left < _options.Grace ? left : _options.Grace;
        if (!CountedByReader)
        {
            Held.Take((long)read * WeightOfObjects);
        }
        return read;
    }

    /// <summary>What its sender broke off, or framed as nobody can read it, is no fault of ours, whoever reads.</summary>
    private async ValueTask<ReadResult> SentAsync(CancellationToken cancellationToken)
    {
        try
        {
            ValueTask<ReadResult> reading = _body.ReadAsync(CancellationToken.None);
            return reading.IsCompleted ? await reading : await InTimeAsync(reading, cancellationToken);
        }
        catch (Exception e) when (e is BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } or ConnectionResetException or ConnectionAbortedException)
        {
            throw new BodyBrokenOffException(e);
        }
    }

    /// <summary>
    /// Waits for the sender no longer than is left of the grace, which waiting uses up and bytes give back; what the machine itself takes is not his fault. The reading is broken
    /// off by the pipe's own means: by a token the server would be left in the middle of it, and could not go on with the connection.
    /// </summary>
    private async ValueTask<ReadResult> InTimeAsync(ValueTask<ReadResult> reading, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        _timer ??= _time.CreateTimer(_ => GiveUp(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(_left > TimeSpan.Zero ? _left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        try
        {
            await using (cancellationToken.UnsafeRegister(static body => ((IncomingBody)body!)._body.CancelPendingRead(), this))
            {
                return await reading;
            }
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _left -= _time.GetElapsedTime(start);
        }
    }

    private void GiveUp()
    {
        _late = true;
        _body.CancelPendingRead();
    }
}
