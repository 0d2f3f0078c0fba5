using System.Globalization;
using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>Decodes a Calico record for an alert. Only records that hit come here, so a document is built.</summary>
internal static class CalicoDetails
{
    private static readonly RecordDetails s_unreadable = new(null, Endpoint.Unknown, Endpoint.Unknown, FlowAction.None, false, null);

    public static RecordDetails Read(LogKind kind, ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(kind, document.RootElement) : s_unreadable;
        }
        catch (JsonException)
        {
            return s_unreadable;
        }
    }

    private static RecordDetails Read(LogKind kind, JsonElement record)
    {
        DateTimeOffset? time = Time(record, "end_time") ?? Time(record, "start_time") ?? Time(record, "@timestamp");
        string? node = Text(record, "host");
        return kind == LogKind.Dns
            ? new RecordDetails(time, ReadEndpoint(record, "client"), Endpoint.Unknown, FlowAction.None, Answered(record), node)
            : new RecordDetails(time, ReadEndpoint(record, "source"), ReadEndpoint(record, "dest"), Action(record), false, node);
    }

    private static FlowAction Action(JsonElement record)
    {
        string? action = Text(record, "action");
        return string.Equals(action, "deny", StringComparison.OrdinalIgnoreCase) ? FlowAction.Deny
            : string.Equals(action, "allow", StringComparison.OrdinalIgnoreCase) ? FlowAction.Allow
            : FlowAction.None;
    }

    private static Endpoint ReadEndpoint(JsonElement record, string side)
    {
        string? type = Text(record, side + "_type");
        (string name, bool aggregated) = Name(Text(record, side + "_name"), Text(record, side + "_name_aggr"), type);
        return new Endpoint(
            Text(record, side + "_namespace") ?? "", name, aggregated, Labels(record, side + "_labels"),
            Ip(record, side), Port(record, side + "_port"), type);
    }

    private static (string Name, bool Aggregated) Name(string? name, string? aggregated, string? type)
    {
        if (IsNetwork(name) || string.Equals(type, "net", StringComparison.OrdinalIgnoreCase) || (name is null && IsNetwork(aggregated)))
        {
            return ("", false);
        }
        if (name is not null && !name.EndsWith('*'))
        {
            return (name, false);
        }
        return (aggregated is null || IsNetwork(aggregated) ? name ?? "" : aggregated, true);
    }

    /// <summary>Public and private network: what is known of a peer that is no pod.</summary>
    private static bool IsNetwork(string? name) => name is "pub" or "pvt";

    private static string? Ip(JsonElement record, string side)
    {
        if (Text(record, side + "_ip") is { } one)
        {
            return one;
        }
        // The bounded list names the peer only when it holds a single address.
        return TryGet(record, side + "_ips", out JsonElement many) && many.ValueKind == JsonValueKind.Array && many.GetArrayLength() == 1
            ? Text(many[0])
            : null;
    }

    private static int? Port(JsonElement record, string key)
    {
        if (!TryGet(record, key, out JsonElement value))
        {
            return null;
        }
        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.TryGetUInt16(out ushort number) ? number : null;
        }
        return ushort.TryParse(Text(value), NumberStyles.None, CultureInfo.InvariantCulture, out ushort parsed) ? parsed : null;
    }

    private static Dictionary<string, string> Labels(JsonElement record, string key)
    {
        var labels = new SortedList<string, string>(StringComparer.Ordinal);
        if (!TryGet(record, key, out JsonElement value))
        {
            return [];
        }
        if (value.ValueKind == JsonValueKind.Object && TryGet(value, "labels", out JsonElement inner) && inner.ValueKind is JsonValueKind.Array or JsonValueKind.Null)
        {
            value = inner;
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty label in value.EnumerateObject())
            {
                if (label.Value.ValueKind == JsonValueKind.String && NameOf(label) is { } name)
                {
                    Set(name, Text(label.Value) ?? "");
                }
            }
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                if (Text(item) is { } text)
                {
                    int equals = text.IndexOf('=', StringComparison.Ordinal);
                    Set(equals < 0 ? text : text[..equals], equals < 0 ? "" : text[(equals + 1)..]);
                }
            }
        }
        return new Dictionary<string, string>(labels, StringComparer.Ordinal);

        void Set(string name, string label)
        {
            labels[name] = label;
            if (labels.Count > Endpoint.MostLabels)
            {
                labels.RemoveAt(labels.Count - 1);
            }
        }
    }

    private static bool Answered(JsonElement record)
    {
        bool noError = TryGet(record, "rcode", out JsonElement code) && code.ValueKind switch
        {
            JsonValueKind.Number => code.TryGetInt32(out int number) && number == 0,
            _ => string.Equals(Text(code), "NoError", StringComparison.OrdinalIgnoreCase),
        };
        return noError && TryGet(record, "rrsets", out JsonElement sets) && sets.ValueKind == JsonValueKind.Array && sets.EnumerateArray().Any(HasData);
    }

    private static bool HasData(JsonElement set) =>
        set.ValueKind == JsonValueKind.Object && TryGet(set, "rdata", out JsonElement data)
        && (data.ValueKind == JsonValueKind.Array ? data.GetArrayLength() > 0 : Text(data) is not null);

    private static DateTimeOffset? Time(JsonElement record, string key)
    {
        if (!TryGet(record, key, out JsonElement value))
        {
            return null;
        }
        string? text = value.ValueKind == JsonValueKind.Number ? value.GetRawText() : Text(value);
        return text is not null && LogTime.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out DateTimeOffset time) ? time : null;
    }

    private static string? Text(JsonElement record, string key) => TryGet(record, key, out JsonElement value) ? Text(value) : null;

    /// <summary>Null for anything but text, and for what stands for "absent".</summary>
    private static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return null;
        }
        try
        {
            return value.GetString() is { } text and not ("" or "-") ? text : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate or a byte that is not UTF-8.
            return null;
        }
    }

    /// <summary>The last of this name, as <see cref="JsonElement.TryGetProperty(string, out JsonElement)"/> gives it, past names that are no text.</summary>
    private static bool TryGet(JsonElement record, string key, out JsonElement value)
    {
        try
        {
            return record.TryGetProperty(key, out value);
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate in a name beside it.
            value = default;
            foreach (JsonProperty property in record.EnumerateObject())
            {
                if (NameOf(property) == key)
                {
                    value = property.Value;
                }
            }
            return value.ValueKind != JsonValueKind.Undefined;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
