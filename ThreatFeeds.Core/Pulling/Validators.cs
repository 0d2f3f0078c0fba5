using System.Globalization;

namespace ThreatFeeds.Pulling;

/// <summary>
/// What a later request can ask with whether something has changed (RFC 9110, 8.8). A validator that could not be sent back as it came is none: an entity tag
/// outside the grammar or with bytes beyond ASCII, a date that is not written as HTTP writes dates, and whatever is very long.
/// </summary>
internal readonly record struct Validators
{
    private const int MaxTag = 1024;

    /// <param name="eTag">As a server sent it.</param>
    /// <param name="lastModified">As a server sent it.</param>
    public Validators(string? eTag, string? lastModified)
    {
        ETag = IsEntityTag(eTag) ? eTag : null;
        LastModified = DateTimeOffset.TryParseExact(lastModified, "r", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? lastModified : null;
    }

    public string? ETag { get; }

    public string? LastModified { get; }

    public bool Any => ETag is not null || LastModified is not null;

    private static bool IsEntityTag(string? text)
    {
        ReadOnlySpan<char> tag = text;
        tag = tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
        return tag is ['"', .. var inside, '"'] && text!.Length <= MaxTag && !inside.ContainsAnyExceptInRange('!', '~') && !inside.Contains('"');
    }
}
