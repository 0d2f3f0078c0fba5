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

/// <summary>The body of a request, read whole within a bound. Every call that reads its body itself does so here.</summary>
/// <param name="Bytes">Unpacked; empty unless the outcome is <see cref="BodyOutcome.Whole"/>. Blocks that nobody else uses, so that they may be kept.</param>
/// <param name="Encoding">The Content-Encoding as it was sent.</param>
internal readonly record struct RequestBody(BodyOutcome Outcome, ReadOnlySequence<byte> Bytes, string Encoding)
{
    // Small enough to stay out of the large object heap.
    private const int BlockBytes = 64 << 10;
    private const int SmallestBlock = 256;

    /// <summary>The bytes in one piece; a body of more than one block is copied.</summary>
    public ReadOnlyMemory<byte> Memory => Bytes.IsSingleSegment ? Bytes.First : Bytes.ToArray();

    /// <param name="most">Bytes allowed, as they come and unpacked each.</param>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, int most, CancellationToken cancellationToken)
    {
        string encoding = request.Headers.ContentEncoding.ToString().Trim();
        bool gzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || encoding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = "gzip";
            return new RequestBody(BodyOutcome.UnknownEncoding, default, encoding);
        }
        if (request.ContentLength > most)
        {
            return new RequestBody(BodyOutcome.TooLong, default, encoding);
        }
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            // Counts what comes over the wire; what comes out of gzip is counted below.
            limit.MaxRequestBodySize = most;
        }
        int first = gzip || request.ContentLength is not { } length ? BlockBytes : (int)Math.Clamp(length + 1, SmallestBlock, BlockBytes);
        try
        {
            await using WholeGzipStream? unzip = gzip ? new WholeGzipStream(request.Body) : null;
            return await ReadAsync(unzip ?? request.Body, first, most, cancellationToken) is { } bytes
                ? new RequestBody(BodyOutcome.Whole, bytes, encoding)
                : new RequestBody(BodyOutcome.TooLong, default, encoding);
        }
        catch (InvalidDataException)
        {
            return new RequestBody(BodyOutcome.NotGzip, default, encoding);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return new RequestBody(BodyOutcome.TooLong, default, encoding);
        }
    }

    /// <summary>Null when there is more than allowed.</summary>
    private static async Task<ReadOnlySequence<byte>?> ReadAsync(Stream from, int firstBlock, int most, CancellationToken cancellationToken)
    {
        var blocks = new List<ArraySegment<byte>>();
        byte[] block = new byte[firstBlock];
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
                block = new byte[BlockBytes];
                used = 0;
            }
        }
        if (used > 0 || blocks.Count == 0)
        {
            blocks.Add(new ArraySegment<byte>(block, 0, used));
        }
        return Chain(blocks);
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
