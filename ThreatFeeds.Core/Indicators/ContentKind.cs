namespace ThreatFeeds.Indicators;

/// <summary>What a feed lists (the original's <c>spec.content</c>).</summary>
public enum ContentKind
{
    /// <summary>Addresses and prefixes; the default.</summary>
    IPSet,
    /// <summary>Domain names.</summary>
    DomainNameSet,
}
