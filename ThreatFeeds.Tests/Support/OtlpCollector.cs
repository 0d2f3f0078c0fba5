using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ThreatFeeds.Tests.Support;

/// <summary>A span as a collector got it; ids in hexadecimal.</summary>
/// <param name="Parent">Empty for the first of a trace.</param>
/// <param name="Status">0 unset, 1 good, 2 an error.</param>
internal sealed record SeenSpan(string Name, string Trace, string Id, string Parent, int Status, IReadOnlyDictionary<string, string> Tags);

/// <summary>A collector of OpenTelemetry on a loopback port (OTLP over HTTP, protobuf): remembers what was sent to it.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly ConcurrentQueue<SeenSpan> _spans = new();
    private readonly ConcurrentQueue<string> _texts = new();

    private OtlpCollector(LoopbackServer server) => _server = server;

    /// <summary>What to start a process with so that it sends here.</summary>
    public string[] Settings => [$"OTEL_EXPORTER_OTLP_ENDPOINT={_server.Address}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"];

    public IReadOnlyList<SeenSpan> Spans => [.. _spans];

    /// <summary>All bodies as text, for what must be in none of them, or is in one.</summary>
    public IReadOnlyList<string> Texts => [.. _texts];

    public IReadOnlyList<SeenRequest> Requests => _server.Requests;

    public static async Task<OtlpCollector> StartAsync()
    {
        var collector = new OtlpCollector(await LoopbackServer.StartAsync());
        collector._server.Answer("/v1/traces", context => collector.TakeAsync(context, collector.Read));
        collector._server.Answer("/v1/metrics", context => collector.TakeAsync(context, _ => { }));
        return collector;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context, Action<ReadOnlyMemory<byte>> read)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        _texts.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
        read(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
    }

    /// <summary>Down through resource spans (1), scope spans (2) and spans (2), by the numbers in OpenTelemetry's trace.proto.</summary>
    private void Read(ReadOnlyMemory<byte> request)
    {
        foreach (ReadOnlyMemory<byte> span in Within(request, 1).SelectMany(r => Within(r, 2)).SelectMany(s => Within(s, 2)))
        {
            var tags = Within(span, 9).ToDictionary(t => Text(t, 1), t => Value(Within(t, 2).Single()), StringComparer.Ordinal);
            long status = Within(span, 15).SelectMany(Protobuf.Read).Where(f => f.Number == 3).Select(f => f.Value).FirstOrDefault();
            _spans.Enqueue(new SeenSpan(Text(span, 5), Hex(span, 1), Hex(span, 2), Hex(span, 4), (int)status, tags));
        }
    }

    private static string Value(ReadOnlyMemory<byte> any) => Protobuf.Read(any).Select(f => f.Number == 1 ? Encoding.UTF8.GetString(f.Bytes.Span) : $"{f.Value}").FirstOrDefault("");

    private static string Text(ReadOnlyMemory<byte> message, int number) => Within(message, number).Select(b => Encoding.UTF8.GetString(b.Span)).FirstOrDefault("");

    private static string Hex(ReadOnlyMemory<byte> message, int number) => Within(message, number).Select(b => Convert.ToHexStringLower(b.Span)).FirstOrDefault("");

    private static IEnumerable<ReadOnlyMemory<byte>> Within(ReadOnlyMemory<byte> message, int number) => Protobuf.Read(message).Where(f => f.Number == number).Select(f => f.Bytes);
}

/// <summary>The fields of a message in protobuf's encoding, in their order.</summary>
internal static class Protobuf
{
    /// <param name="Value">Of a number; 0 for the others.</param>
    /// <param name="Bytes">Of a text or a message within.</param>
    internal readonly record struct Field(int Number, long Value, ReadOnlyMemory<byte> Bytes);

    public static IEnumerable<Field> Read(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            int number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    yield return new Field(number, (long)Varint(message, ref at), default);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(message, ref at);
                    yield return new Field(number, 0, message.Slice(at, length));
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    throw new FormatException($"A field of the kind {key & 7} is not of today's protobuf.");
            }
        }
    }

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message.Span[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
