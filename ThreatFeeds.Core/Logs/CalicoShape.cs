using System.Text.Json;
using System.Text;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>What a line's keys say it is; decides whether it is accepted.</summary>
internal ref struct CalicoShape
{
    private bool _qname;
    private bool _unlogged;
    private bool _flow;
    private bool _time;
    private string? _badTime;

    /// <summary>Takes the property the reader stands on and passes over its value.</summary>
    public void See(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("qname"u8))
        {
            reader.Read();
            _qname = reader.TokenType == JsonTokenType.String;
        }
        else if (reader.ValueTextEquals("type"u8))
        {
            reader.Read();
            _unlogged = IsUnlogged(ref reader);
        }
        else if (IsFlowKey(ref reader))
        {
            _flow = true;
            reader.Read();
        }
        else if (reader.ValueTextEquals("end_time"u8))
        {
            SeeTime("end_time", ref reader);
        }
        else if (reader.ValueTextEquals("start_time"u8))
        {
            SeeTime("start_time", ref reader);
        }
        else if (reader.ValueTextEquals("@timestamp"u8))
        {
            SeeTime("@timestamp", ref reader);
        }
        else
        {
            reader.Read();
        }
        reader.Skip();
    }

    public readonly string? Refuse(LogKind kind)
    {
        if (kind == LogKind.Dns && !_qname && !_unlogged)
        {
            return _flow ? "is a flow record, not a DNS record (it has no qname); flow records go to /v1/logs/flows" : "lacks qname";
        }
        if (kind == LogKind.Flow && !_flow)
        {
            return _qname || _unlogged ? "is a DNS record, not a flow record; DNS records go to /v1/logs/dns" : "lacks a source and a destination (source_ip, source_name, dest_ip, dest_name)";
        }
        if (_badTime is null)
        {
            return _time ? null : "lacks a time (end_time, start_time or @timestamp)";
        }
        return $"has a time that cannot be read in {_badTime} (RFC 3339 text or an epoch in seconds or milliseconds)";
    }

    /// <summary>Records of queries that the rate limit kept out: they have times and a count only.</summary>
    public static bool IsUnlogged(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && Ascii.EqualsIgnoreCase(reader.ValueSpan, "UNLOGGED"u8);

    private static bool IsFlowKey(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("source_ip"u8) || reader.ValueTextEquals("dest_ip"u8)
        || reader.ValueTextEquals("source_name"u8) || reader.ValueTextEquals("dest_name"u8)
        || reader.ValueTextEquals("source_name_aggr"u8) || reader.ValueTextEquals("dest_name_aggr"u8)
        || reader.ValueTextEquals("source_ips"u8) || reader.ValueTextEquals("dest_ips"u8);

    private void SeeTime(string key, ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }
        using var text = new JsonText();
        if (reader.TokenType == JsonTokenType.String && !text.TryRead(ref reader))
        {
            // "-" and "" stand for an absent time, as they do elsewhere.
            return;
        }
        bool readable = reader.TokenType switch
        {
            JsonTokenType.Number => LogTime.TryParse(reader.ValueSpan, out _),
            JsonTokenType.String => LogTime.TryParse(text.Bytes, out _),
            _ => false,
        };
        _time |= readable;
        if (!readable)
        {
            _badTime ??= key;
        }
    }
}
