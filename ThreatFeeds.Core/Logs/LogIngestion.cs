using System.Buffers;
using ThreatFeeds.Actors;
using ThreatFeeds.Telemetry;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <param name="Line">One-based line of the body.</param>
/// <param name="Reason">Words for the sender.</param>
public sealed record LineRefusal(long Line, string Reason);

/// <summary>The answer to a body of records.</summary>
/// <param name="Refused">All refused lines, also those without a sample.</param>
/// <param name="Refusals">At most <see cref="LogIngestion.MostSamples"/>.</param>
public sealed record Ingestion(long Accepted, long Refused, IReadOnlyList<LineRefusal> Refusals);

/// <summary>Takes a body of records, one a line, refuses what cannot be read and stores the rest as one batch.</summary>
public sealed class LogIngestion(LogReaders readers, ILogStore store)
{
    /// <summary>Bytes of a body, packed and unpacked. Whoever reads the body keeps to it.</summary>
    public const int MostBytes = 64 << 20;

    /// <summary>Bytes of a line.</summary>
    public const int LongestLine = 1 << 20;

    /// <summary>Refused lines that are named.</summary>
    public const int MostSamples = 100;

    /// <summary>Bytes of a place in the list of lines.</summary>
    private const int PlaceBytes = 16;

    /// <summary>Bytes that a store may write beside each line, and once for all of them; see the frames of the embedded store.</summary>
    private const int BesideLine = 4;
    private const int BesideLines = 4 << 10;

    private static readonly LineFault s_tooLong = new("is longer than {0} bytes", LongestLine);

    /// <summary>
    /// Stores the records of <paramref name="body"/>; when it returns they are durable. A body seen before under the same
    /// <paramref name="idempotencyKey"/> gets the same answer and is not stored again.
    /// </summary>
    /// <param name="holding">Told of bytes before they are held beside the body, until this returns: the list of its lines, and the copy that a store makes to write them. May throw to end it; nothing is stored then.</param>
    /// <exception cref="UnknownLogFormatException">No reader for <paramref name="format"/>.</exception>
    /// <exception cref="KeyReusedException">The key stands for other records; nothing was stored.</exception>
    /// <exception cref="LogStoreException">Nothing was stored.</exception>
    public Task<Ingestion> IngestAsync(LogKind kind, string format, ReadOnlySequence<byte> body, string? idempotencyKey, Actor actor, CancellationToken cancellationToken, Action<long>? holding = null) => Work.Ingestion.RunAsync(async span =>
    {
        ILogReader reader = readers.Get(format);
        span.Tell("kind", Word.Of(kind));
        span.Tell("format", reader.Format);
        span.Tell("bytes", body.Length);
        var lines = new List<ReadOnlyMemory<byte>>();
        Ingestion answer = Sort(kind, reader, body, lines, holding, cancellationToken);
        span.Tell("accepted", answer.Accepted);
        span.Tell("refused", answer.Refused);
        if (lines.Count > 0)
        {
            holding?.Invoke(lines.Sum(l => (long)l.Length + BesideLine) + BesideLines);
        }
        AppendResult? result = lines.Count > 0 ? await store.AppendAsync(new LogBatch(kind, reader.Format, lines, idempotencyKey), cancellationToken) : null;
        if (result == AppendResult.Stored)
        {
            Meters.RecordsReceived.Add(answer.Accepted, new KeyValuePair<string, object?>("outcome", "accepted"));
        }
        Meters.RecordsReceived.Add(answer.Refused, new KeyValuePair<string, object?>("outcome", "refused"));
        span.Ended(result switch { AppendResult.Stored => "stored", AppendResult.Repeated => "repeated", _ => "nothing" });
        return answer;
    });

    private static Ingestion Sort(LogKind kind, ILogReader reader, ReadOnlySequence<byte> body, List<ReadOnlyMemory<byte>> accepted, Action<long>? holding, CancellationToken cancellationToken)
    {
        var refusals = new List<LineRefusal>();
        long refused = 0;
        var lines = new BodyLines(body, LongestLine);
        for (long number = 1; lines.TryNext(out ReadOnlyMemory<byte> line, out bool tooLong); number++)
        {
            // A body can hold 32 million lines; whoever went away or stops the process is not kept waiting for them.
            cancellationToken.ThrowIfCancellationRequested();
            if (!tooLong && line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                continue;
            }
            LineFault fault = tooLong ? s_tooLong : reader.Refuse(kind, line.Span);
            if (fault.IsNone)
            {
                if (accepted.Count == accepted.Capacity)
                {
                    // Both the old list and the new are there until it is moved, and what all before left is never more than the old.
                    int places = Math.Max(64, 2 * accepted.Capacity);
                    holding?.Invoke((long)places * PlaceBytes);
                    accepted.Capacity = places;
                }
                accepted.Add(line);
            }
            else if (++refused <= MostSamples)
            {
                refusals.Add(new LineRefusal(number, fault.ToString()));
            }
        }
        return new Ingestion(accepted.Count, refused, refusals);
    }
}
