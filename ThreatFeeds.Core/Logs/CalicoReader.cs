using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>
/// DNS and flow logs as Calico writes them (format <c>calico</c>): one JSON object a line, keys in any order, unknown fields ignored. Of a repeated
/// key the last value counts. A record without a time, or with one that cannot be read, is refused.
/// </summary>
public sealed class CalicoReader : ILogReader
{
    internal const string FormatName = "calico";

    public string Format => FormatName;

    public string? Refuse(LogKind kind, ReadOnlySpan<byte> line)
    {
        if (!Utf8.IsValid(line))
        {
            return "is not valid UTF-8";
        }
        var seen = new CalicoShape();
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "is not a JSON object";
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                seen.See(ref reader);
            }
            // Whatever stands behind the object must be white space; this makes the reader say so when it is not.
            reader.Read();
        }
        catch (JsonException e)
        {
            return $"is not valid JSON (at byte {e.BytePositionInLine + 1})";
        }
        return seen.Refuse(kind);
    }

    public void ReadValues(LogKind kind, ReadOnlySpan<byte> line, IValueSink sink)
    {
        try
        {
            if (kind == LogKind.Dns)
            {
                ReadDns(line, sink);
            }
            else
            {
                ReadFlow(line, sink);
            }
        }
        catch (JsonException)
        {
            // The contract: a line that can no longer be read gives no values. Ingestion has told the sender.
        }
    }

    public RecordDetails ReadDetails(LogKind kind, ReadOnlySpan<byte> line) => CalicoDetails.Read(kind, line);

    private static void ReadDns(ReadOnlySpan<byte> line, IValueSink sink)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }
        // Keys come in any order and values are given in a fixed one, so the places of the two are kept first. This also reads the whole line
        // before anything is given, so that a broken line gives nothing.
        Utf8JsonReader qname = default;
        Utf8JsonReader sets = default;
        bool hasQname = false;
        bool hasSets = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("qname"u8))
            {
                reader.Read();
                qname = reader;
                hasQname = true;
            }
            else if (reader.ValueTextEquals("rrsets"u8))
            {
                reader.Read();
                sets = reader;
                hasSets = reader.TokenType == JsonTokenType.StartArray;
            }
            else if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                if (CalicoShape.IsUnlogged(ref reader))
                {
                    return;
                }
            }
            else
            {
                reader.Read();
            }
            reader.Skip();
        }
        using var text = new JsonText();
        if (hasQname && text.TryRead(ref qname))
        {
            sink.Name(HitField.QueryName, text.Bytes);
        }
        if (hasSets)
        {
            CalicoRecordSets.GiveNames(sets, sink);
            CalicoRecordSets.GiveData(sets, sink);
        }
    }

    private static void ReadFlow(ReadOnlySpan<byte> line, IValueSink sink)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }
        var source = new Sides();
        var destination = new Sides();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("source_ip"u8))
            {
                source.TakeOne(ref reader);
            }
            else if (reader.ValueTextEquals("dest_ip"u8))
            {
                destination.TakeOne(ref reader);
            }
            else if (reader.ValueTextEquals("source_ips"u8))
            {
                source.TakeMany(ref reader);
            }
            else if (reader.ValueTextEquals("dest_ips"u8))
            {
                destination.TakeMany(ref reader);
            }
            else
            {
                reader.Read();
            }
            reader.Skip();
        }
        source.Give(HitField.SourceIp, sink);
        destination.Give(HitField.DestinationIp, sink);
    }

    /// <summary>Where the addresses of one side stand: the address itself, and the bounded list that open-source Calico gives.</summary>
    private ref struct Sides
    {
        private Utf8JsonReader _one;
        private Utf8JsonReader _many;
        private bool _hasOne;
        private bool _hasMany;

        public void TakeOne(ref Utf8JsonReader reader)
        {
            reader.Read();
            _one = reader;
            _hasOne = true;
        }

        public void TakeMany(ref Utf8JsonReader reader)
        {
            reader.Read();
            _many = reader;
            _hasMany = reader.TokenType == JsonTokenType.StartArray;
        }

        public void Give(HitField field, IValueSink sink)
        {
            using var text = new JsonText();
            if (_hasOne && text.TryRead(ref _one))
            {
                sink.Address(field, text.Bytes);
            }
            while (_hasMany && _many.Read() && _many.TokenType != JsonTokenType.EndArray)
            {
                if (text.TryRead(ref _many))
                {
                    sink.Address(field, text.Bytes);
                }
                _many.Skip();
            }
        }
    }
}
