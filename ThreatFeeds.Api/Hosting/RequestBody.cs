using System.Buffers;
using Microsoft.AspNetCore.Http.Features;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Api.Hosting;

/// <summary>How the reading of a body ended.</summary>
internal enum BodyOutcome
{
    /// <summary>All of it is here.</summary>
    Whole,

    /// <summary>It is longer than the call takes, as it came or unpacked (413).</summary>
    TooLong,

    /// <summary>Its Content-Encoding is neither gzip nor identity (415).</summary>
    UnknownEncoding,

    /// <summary>It is not gzip as its Content-Encoding says, or is cut short, or has something behind its end (400).</summary>
    NotGzip,
}

/// <summary>The body of a request, read whole within a bound. Every call that reads its body itself does so here; the blocks count as held until the call ends.</summary>
/// <param name="Bytes">Unpacked; empty unless the outcome is <see cref="BodyOutcome.Whole"/>. Blocks that nobody else uses, so that they may be kept.</param>
/// <param name="Encoding">The Content-Encoding as it was sent.</param>
/// <param name="Most">Bytes it was allowed.</param>
/// <param name="Held">What the call holds; whoever makes more of the body takes for it here.</param>
internal readonly record struct RequestBody(BodyOutcome Outcome, ReadOnlySequence<byte> Bytes, string Encoding, long Most, HeldBytes Held)
{
    /// <summary>What the server reads, and drops, of a body that is too long once it has said so (for at most five seconds): who still sends when the connection is closed may never see the answer.</summary>
    private const int ReadOnBytes = 16 << 20;

    // Small enough to stay out of the large object heap.
    private const int BlockBytes = 64 << 10;
    private const int SmallestBlock = 256;

    /// <summary>
    /// The copies that a body is in memory of which JSON nodes are made: itself, in one piece, and the nodes. Of a list of numbers of one digit they weigh a hundred
    /// times as much as its text; nothing that was measured weighs more.
    /// </summary>
    public const int CopiesAsNodes = 102;

    /// <summary>The bytes in one piece; a body of more than one block is copied.</summary>
    public ReadOnlyMemory<byte> InOnePiece() => Bytes.IsSingleSegment ? Bytes.First : Bytes.ToArray();

    /// <param name="mostBytes">Bytes allowed, as they come and unpacked each; fewer when all bodies together may not have so many.</param>
    /// <param name="copies">How often the call will have the body in memory; they count as held as well.</param>
    /// <exception cref="BudgetFullException">The calls under way hold too much for it.</exception>
    /// <exception cref="BodyTooSlowException">It did not come in time.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, int mostBytes, CancellationToken cancellationToken, int copies = 1)
    {
        if (request.Body is not IncomingBody incoming)
        {
            throw new InvalidOperationException("Bodies are bounded by what IncomingBody.Use adds, and it is not there.");
        }
        incoming.CountedByReader = true;
        HeldBytes held = incoming.Held;
        // A body that could never be taken is told so, not asked for again and again.
        long most = Math.Min(mostBytes, held.Most / copies - BlockBytes);
        string encoding = request.Headers.ContentEncoding.ToString().Trim();
        bool gzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || encoding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = "gzip";
            return new RequestBody(BodyOutcome.UnknownEncoding, default, encoding, most, held);
        }
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            // Counts what comes over the wire; what is taken is counted below.
            limit.MaxRequestBodySize = gzip ? most : most + ReadOnBytes;
        }
        if (request.ContentLength > most)
        {
            return new RequestBody(BodyOutcome.TooLong, default, encoding, most, held);
        }
        int first = gzip || request.ContentLength is not { } length ? BlockBytes : (int)Math.Clamp(length + 1, SmallestBlock, BlockBytes);
        try
        {
            await using WholeGzipStream? unzip = gzip ? new WholeGzipStream(request.Body) : null;
            if (await ReadAsync(unzip ?? request.Body, first, most, held, cancellationToken) is not { } bytes)
            {
                return new RequestBody(BodyOutcome.TooLong, default, encoding, most, held);
            }
            held.Take((copies - 1) * bytes.Length);
            return new RequestBody(BodyOutcome.Whole, bytes, encoding, most, held);
        }
        catch (InvalidDataException)
        {
            return new RequestBody(BodyOutcome.NotGzip, default, encoding, most, held);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return new RequestBody(BodyOutcome.TooLong, default, encoding, most, held);
        }
    }

    /// <summary>Null when there is more than allowed.</summary>
    private static async Task<ReadOnlySequence<byte>?> ReadAsync(Stream from, int firstBlock, long most, HeldBytes held, CancellationToken cancellationToken)
    {
        var blocks = new List<ArraySegment<byte>>();
        byte[] block = NewBlock(firstBlock, held);
        int used = 0;
        long whole = 0;
        int read;
        while ((read = await from.ReadAsync(block.AsMemory(used), cancellationToken)) > 0)
        {
            used += read;
            whole += read;
            if (whole > most)
            {
                return null;
            }
            if (used == block.Length)
            {
                blocks.Add(block);
                block = NewBlock(BlockBytes, held);
                used = 0;
            }
        }
        if (used > 0 || blocks.Count == 0)
        {
            blocks.Add(new ArraySegment<byte>(block, 0, used));
        }
        return Chain(blocks);
    }

    private static byte[] NewBlock(int bytes, HeldBytes held)
    {
        held.Take(bytes);
        return new byte[bytes];
    }

    private static ReadOnlySequence<byte> Chain(List<ArraySegment<byte>> blocks)
    {
        if (blocks is [var only])
        {
            return new ReadOnlySequence<byte>(only);
        }
        var first = new Block(blocks[0], null);
        Block last = first;
        foreach (ArraySegment<byte> bytes in blocks.Skip(1))
        {
            last = new Block(bytes, last);
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Block : ReadOnlySequenceSegment<byte>
    {
        public Block(ArraySegment<byte> bytes, Block? before)
        {
            Memory = bytes;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
