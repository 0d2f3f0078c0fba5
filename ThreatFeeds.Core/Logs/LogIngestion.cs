using ThreatFeeds.Telemetry;

namespace ThreatFeeds.Logs;

/// <param name="Line">One-based line of the body.</param>
/// <param name="Reason">Words for the sender.</param>
public sealed record LineRefusal(long Line, string Reason);

/// <summary>The answer to a body of records (design §6).</summary>
/// <param name="Refused">All refused lines, also those without a sample.</param>
/// <param name="Refusals">At most <see cref="LogIngestion.MostSamples"/>.</param>
public sealed record Ingestion(long Accepted, long Refused, IReadOnlyList<LineRefusal> Refusals);

/// <summary>The body is longer than allowed once unpacked.</summary>
public sealed class LogBodyTooLargeException : Exception
{
    public LogBodyTooLargeException() { }
    public LogBodyTooLargeException(string message) : base(message) { }
    public LogBodyTooLargeException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>Takes a body of records, one a line, refuses what cannot be read and stores the rest as one batch.</summary>
public sealed class LogIngestion(LogReaders readers, ILogStore store)
{
    /// <summary>Bytes of a body, unpacked.</summary>
    public const int MostBytes = 64 << 20;

    /// <summary>Bytes of a line.</summary>
    public const int LongestLine = 1 << 20;

    /// <summary>Refused lines that are named.</summary>
    public const int MostSamples = 100;

    private const int FirstBuffer = 64 << 10;
    private static readonly byte[] s_byteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>
    /// Stores the records of <paramref name="body"/>; when it returns they are durable. A body seen before under the same
    /// <paramref name="idempotencyKey"/> gets the same answer and is not stored again.
    /// </summary>
    /// <exception cref="UnknownLogFormatException">No reader for <paramref name="format"/>.</exception>
    /// <exception cref="LogBodyTooLargeException">More than <see cref="MostBytes"/>; nothing was stored.</exception>
    /// <exception cref="KeyReusedException">The key stands for other records; nothing was stored.</exception>
    /// <exception cref="LogStoreException">Nothing was stored.</exception>
    public async Task<Ingestion> IngestAsync(LogKind kind, string format, Stream body, string? idempotencyKey, CancellationToken cancellationToken)
    {
        ILogReader reader = readers.Get(format);
        ReadOnlyMemory<byte> bytes = await ReadAllAsync(body, cancellationToken);
        var lines = new List<ReadOnlyMemory<byte>>();
        Ingestion answer = Sort(kind, reader, bytes, lines);
        if (lines.Count > 0 && await store.AppendAsync(new LogBatch(kind, reader.Format, lines, idempotencyKey), cancellationToken) == AppendResult.Stored)
        {
            Meters.RecordsReceived.Add(answer.Accepted, new KeyValuePair<string, object?>("outcome", "accepted"));
        }
        Meters.RecordsReceived.Add(answer.Refused, new KeyValuePair<string, object?>("outcome", "refused"));
        return answer;
    }

    private static Ingestion Sort(LogKind kind, ILogReader reader, ReadOnlyMemory<byte> bytes, List<ReadOnlyMemory<byte>> accepted)
    {
        var refusals = new List<LineRefusal>();
        long refused = 0;
        if (bytes.Span.StartsWith(s_byteOrderMark))
        {
            bytes = bytes[s_byteOrderMark.Length..];
        }
        for (long number = 1; !bytes.IsEmpty; number++)
        {
            int end = bytes.Span.IndexOf((byte)'\n');
            ReadOnlyMemory<byte> line = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
            if (!line.IsEmpty && line.Span[^1] == '\r')
            {
                line = line[..^1];
            }
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                continue;
            }
            string? reason = line.Length > LongestLine ? $"is longer than {LongestLine} bytes" : reader.Refuse(kind, line.Span);
            if (reason is null)
            {
                accepted.Add(line);
            }
            else if (++refused <= MostSamples)
            {
                refusals.Add(new LineRefusal(number, reason));
            }
        }
        return new Ingestion(accepted.Count, refused, refusals);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAllAsync(Stream body, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[FirstBuffer];
        int length = 0;
        while (true)
        {
            int read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                return buffer.AsMemory(0, length);
            }
            length += read;
            if (length > MostBytes)
            {
                throw new LogBodyTooLargeException($"The body is larger than {MostBytes} bytes once unpacked. Send it in parts.");
            }
            if (length == buffer.Length)
            {
                // One byte more than allowed, so that a body of exactly the limit can be told from a longer one.
                Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, MostBytes + 1L));
            }
        }
    }
}
