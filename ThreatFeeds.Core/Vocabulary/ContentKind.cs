using System.Text.Json.Serialization;

namespace ThreatFeeds.Vocabulary;

/// <summary>What a feed lists (the original's <c>spec.content</c>), written as the original writes it.</summary>
[JsonConverter(typeof(WordJsonConverter<ContentKind>))]
public enum ContentKind
{
    /// <summary>Addresses and prefixes; the default.</summary>
    [JsonStringEnumMemberName("IPSet")]
    IPSet,
    /// <summary>Domain names.</summary>
    [JsonStringEnumMemberName("DomainNameSet")]
    DomainNameSet,
}
