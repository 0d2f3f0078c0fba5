using System.Buffers;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http.Features;

namespace ThreatFeeds.Api.Hosting;

/// <summary>
/// The answer of a call as all code here writes it: kept, and counted against the budget of all answers, until the call is over and has let go of what it was made
/// of; then sent as fast as it is read. So whoever reads slowly holds no more than the bytes he was promised, and nothing is sent that does not come to its end.
/// </summary>
internal sealed class OutgoingAnswer(AnswerBudget budget) : Stream
{
    // Most answers are short; the others stay out of the large object heap.
    private const int FirstBlock = 4 << 10;
    private const int BlockBytes = 64 << 10;

    private readonly HeldBytes _held = new(budget);
    private readonly Queue<byte[]> _full = new();
    private byte[] _block = [];
    private int _used;
    private BudgetFullException? _refused;

    /// <summary>What the answer is made of, as long as it is being made. Whoever makes something large of little takes for it here.</summary>
    public HeldBytes Making { get; } = new(budget);

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Of the call under way.</summary>
    public static OutgoingAnswer Of(HttpContext context) => context.Features.GetRequiredFeature<OutgoingAnswer>();

    /// <summary>Must stand behind what answers exceptions: of an answer that has no room nothing was sent.</summary>
    public static void Use(IApplicationBuilder app)
    {
        AnswerBudget budget = app.ApplicationServices.GetRequiredService<AnswerBudget>();
        app.Use((context, next) => ApiPaths.Hold(context.Request.Path) ? AnswerAsync(context, next, budget) : next(context));
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_used == _block.Length)
            {
                Begin();
            }
            int part = Math.Min(buffer.Length, _block.Length - _used);
            buffer[..part].CopyTo(_block.AsSpan(_used));
            buffer = buffer[part..];
            _used += part;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // There is nothing to be seen of it before its end.
    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Making.Dispose();
            _held.Dispose();
            while (_full.TryDequeue(out byte[]? block))
            {
                ArrayPool<byte>.Shared.Return(block);
            }
            if (_block.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_block);
                _block = [];
            }
        }
        base.Dispose(disposing);
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, AnswerBudget budget)
    {
        await using var answer = new OutgoingAnswer(budget);
        context.Features.Set(answer);
        await answer.MakeAsync(context, next, context.GetEndpoint()?.Metadata.GetMetadata<LargeAnswer>() is null ? null : budget.Turns);
        await answer.SendAsync(context.Response.Body, context.RequestAborted);
    }

    /// <param name="turns">Null for an answer that may be made beside any number of others.</param>
    private async Task MakeAsync(HttpContext context, RequestDelegate next, SemaphoreSlim? turns)
    {
        if (turns is not null && !await turns.WaitAsync(LargeAnswer.Patience, context.RequestAborted))
        {
            throw new BudgetFullException(AnswerBudget.Key, never: false);
        }
        Stream raw = context.Response.Body;
        context.Response.Body = this;
        try
        {
            await next(context);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            if (_refused is { } refused)
            {
                // Whoever wrote it made of this what he could; half of an answer is none.
                ExceptionDispatchInfo.Throw(refused);
            }
        }
        finally
        {
            context.Response.Body = raw;
            Making.Dispose();
            turns?.Release();
        }
    }

    private async Task SendAsync(Stream to, CancellationToken cancellationToken)
    {
        while (_full.TryPeek(out byte[]? block))
        {
            // The server takes no more than it can hold itself before it waits for the reader.
            await to.WriteAsync(block, cancellationToken);
            _full.Dequeue();
            _held.Give(block.Length);
            ArrayPool<byte>.Shared.Return(block);
        }
        if (_used > 0)
        {
            await to.WriteAsync(_block.AsMemory(0, _used), cancellationToken);
        }
    }

    private void Begin()
    {
        int bytes = _block.Length == 0 ? FirstBlock : BlockBytes;
        try
        {
            _held.Take(bytes);
        }
        catch (BudgetFullException full)
        {
            _refused = full;
            throw;
        }
        if (_block.Length > 0)
        {
            _full.Enqueue(_block);
        }
        // A power of two is what the pool gives.
        _block = ArrayPool<byte>.Shared.Rent(bytes);
        _used = 0;
    }
}

/// <summary>Marks a call whose answer is made of far more than is sent. Of those a few are made at once, one behind another; no reader keeps others from theirs, since it is sent once it is made.</summary>
internal sealed class LargeAnswer
{
    /// <summary>How long a call waits for its turn before it is told to come again.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static readonly LargeAnswer Mark = new();
}
