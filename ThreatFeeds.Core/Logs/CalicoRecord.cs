using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>
/// One pass over a line: what its keys say it is, which decides whether it is accepted, and where its values stand. Keys come in any order and of a
/// repeated one the last counts, so that nothing is said or given before the whole line was read.
/// </summary>
internal ref struct CalicoRecord
{
    private readonly LineFault _broken;
    private JsonWalker _walker;
    private JsonWalker _qname;
    private JsonWalker _sets;
    private JsonWalker _type;
    private JsonWalker _endTime;
    private JsonWalker _startTime;
    private JsonWalker _timestamp;
    private Side _source;
    private Side _destination;
    private bool _flow;

    public CalicoRecord(ReadOnlySpan<byte> line)
    {
        if (!Utf8.IsValid(line))
        {
            _broken = new LineFault("is not valid UTF-8");
            return;
        }
        _walker = new JsonWalker(line);
        if (_walker.Read() && _walker.TokenType != JsonTokenType.StartObject)
        {
            _broken = new LineFault("is not a JSON object");
            return;
        }
        while (_walker.Read() && _walker.TokenType == JsonTokenType.PropertyName)
        {
            See();
        }
        if (!_walker.ReadToEnd())
        {
            _broken = new LineFault("is not valid JSON (at byte {0})", _walker.Consumed + 1);
        }
    }

    /// <summary>A line that cannot be read has no values.</summary>
    public readonly bool IsBroken => !_broken.IsNone;

    public readonly LineFault Judge(LogKind kind)
    {
        if (IsBroken)
        {
            return _broken;
        }
        bool dns = IsText(_qname) || IsUnlogged || CalicoRecordSets.Hold(_sets);
        if (kind == LogKind.Dns && !dns)
        {
            return new(_flow ? "is a flow record, not a DNS record (it has no qname); flow records go to /v1/logs/flows" : "lacks qname, and rrsets with a name or data");
        }
        if (kind == LogKind.Flow && !_flow)
        {
            return new(dns ? "is a DNS record, not a flow record; DNS records go to /v1/logs/dns" : "lacks a source and a destination (source_ip, source_name, dest_ip, dest_name)");
        }
        bool time = false;
        return IsBadTime(_endTime, ref time) ? BadTime("end_time")
            : IsBadTime(_startTime, ref time) ? BadTime("start_time")
            : IsBadTime(_timestamp, ref time) ? BadTime("@timestamp")
            : time ? default
            : new("lacks a time (end_time, start_time or @timestamp)");
    }

    public readonly void Give(LogKind kind, IValueSink sink)
    {
        if (IsBroken)
        {
            return;
        }
        if (kind == LogKind.Flow)
        {
            _source.Give(HitField.SourceIp, sink);
            _destination.Give(HitField.DestinationIp, sink);
            return;
        }
        if (IsUnlogged)
        {
            return;
        }
        using var text = new JsonText();
        if (text.TryRead(_qname))
        {
            sink.Name(HitField.QueryName, text.Bytes);
        }
        CalicoRecordSets.GiveNames(_sets, sink);
        CalicoRecordSets.GiveData(_sets, sink);
    }

    /// <summary>Takes the key the walker stands on and passes over its value.</summary>
    private void See()
    {
        if (_walker.ValueTextEquals("qname"u8))
        {
            _qname = Value();
        }
        else if (_walker.ValueTextEquals("rrsets"u8))
        {
            _sets = Value();
        }
        else if (_walker.ValueTextEquals("type"u8))
        {
            _type = Value();
        }
        else if (_walker.ValueTextEquals("end_time"u8))
        {
            _endTime = Value();
        }
        else if (_walker.ValueTextEquals("start_time"u8))
        {
            _startTime = Value();
        }
        else if (_walker.ValueTextEquals("@timestamp"u8))
        {
            _timestamp = Value();
        }
        else if (_walker.ValueTextEquals("source_ip"u8))
        {
            _source.One = Value();
            _flow = true;
        }
        else if (_walker.ValueTextEquals("source_ips"u8))
        {
            _source.Many = Value();
            _flow = true;
        }
        else if (_walker.ValueTextEquals("dest_ip"u8))
        {
            _destination.One = Value();
            _flow = true;
        }
        else if (_walker.ValueTextEquals("dest_ips"u8))
        {
            _destination.Many = Value();
            _flow = true;
        }
        else
        {
            _flow |= _walker.ValueTextEquals("source_name"u8) || _walker.ValueTextEquals("dest_name"u8)
                || _walker.ValueTextEquals("source_name_aggr"u8) || _walker.ValueTextEquals("dest_name_aggr"u8);
        }
        _walker.Skip();
    }

    /// <summary>Where the value of the key stands that the walker stands on.</summary>
    private JsonWalker Value()
    {
        _walker.Read();
        return _walker;
    }

    private static bool IsText(in JsonWalker place) => place.TokenType == JsonTokenType.String;

    /// <summary>Records of queries that the rate limit kept out: they have times and a count only.</summary>
    private readonly bool IsUnlogged
    {
        get
        {
            using var text = new JsonText();
            return text.TryRead(_type) && Ascii.EqualsIgnoreCase(text.Bytes, "UNLOGGED"u8);
        }
    }

    private static LineFault BadTime(string key) => new(key switch
    {
        "end_time" => "has a time that cannot be read in end_time" + Times,
        "start_time" => "has a time that cannot be read in start_time" + Times,
        _ => "has a time that cannot be read in @timestamp" + Times,
    });

    private const string Times = " (RFC 3339 text or an epoch in seconds or milliseconds)";

    /// <param name="time">Set when a time was read. "-", "" and null stand for an absent one, as they do elsewhere.</param>
    private static bool IsBadTime(in JsonWalker place, ref bool time)
    {
        if (place.TokenType is JsonTokenType.None or JsonTokenType.Null)
        {
            return false;
        }
        using var text = new JsonText();
        if (place.TokenType == JsonTokenType.String && !text.TryRead(place))
        {
            return false;
        }
        bool readable = place.TokenType switch
        {
            JsonTokenType.Number => LogTime.TryParse(place.ValueSpan, out _),
            JsonTokenType.String => LogTime.TryParse(text.Bytes, out _),
            _ => false,
        };
        time |= readable;
        return !readable;
    }

    /// <summary>Where the addresses of one side stand: the address itself, and the bounded list that open-source Calico gives.</summary>
    private ref struct Side
    {
        public JsonWalker One;
        public JsonWalker Many;

        public readonly void Give(HitField field, IValueSink sink)
        {
            using var text = new JsonText();
            if (text.TryRead(One))
            {
                sink.Address(field, text.Bytes);
            }
            JsonWalker many = Many;
            bool isList = many.TokenType == JsonTokenType.StartArray;
            while (isList && many.Read() && many.TokenType != JsonTokenType.EndArray)
            {
                if (text.TryRead(many))
                {
                    sink.Address(field, text.Bytes);
                }
                many.Skip();
            }
        }
    }
}
