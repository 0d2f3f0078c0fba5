using System.Globalization;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Sets;

/// <summary>May this set replace the last good one? For pulls only: a push is deliberate.</summary>
public static class SetGuard
{
    /// <summary>Sets smaller than this may shrink as they like.</summary>
    public const int ShrinkFrom = 100;

    /// <summary>A set may shrink to this share of the last good one, unless <c>threatfeeds.io/min-share</c> says otherwise.</summary>
    public const double MinShare = 0.5;

    /// <returns>Why the set is kept out, with the way to accept it; null when it may replace the current one.</returns>
    public static string? Judge(Feed feed, ParseResult parsed, StoredSetRow? current, string digest, string origin)
    {
        string? reason = Reason(feed, parsed, current, origin);
        if (reason is null || (parsed.Unusable is null && parsed.Set.Count > 0 && IsAccepted(feed, digest)))
        {
            return null;
        }
        string held = current is null ? "There is no earlier set to search for." : string.Create(CultureInfo.InvariantCulture, $"The last good set of {current.Count:N0} indicators is still searched for.");
        string accept = parsed.Unusable is null && parsed.Set.Count > 0 ? $" To accept this body, set the annotation {FeedAnnotations.Accept}: {digest[..16]}" : "";
        return $"{reason} {held}{accept}";
    }

    private static string? Reason(Feed feed, ParseResult parsed, StoredSetRow? current, string origin)
    {
        if (parsed.Unusable is { } unusable)
        {
            return unusable.TrimEnd('.') + ".";
        }
        if (parsed.Set.Count == 0)
        {
            return "The body holds no indicator.";
        }
        if (parsed.RefusedCount > parsed.AcceptedEntries)
        {
            return string.Create(CultureInfo.InvariantCulture, $"More than half of the entries were refused ({parsed.RefusedCount:N0} of {parsed.RefusedCount + parsed.AcceptedEntries:N0}).");
        }
        if (current is { Count: >= ShrinkFrom } && current.Origin == origin && parsed.Set.Count < current.Count * Share(feed))
        {
            return string.Create(CultureInfo.InvariantCulture, $"The list shrank from {current.Count:N0} to {parsed.Set.Count:N0} indicators.");
        }
        return null;
    }

    private static double Share(Feed feed) =>
        feed.Annotations.TryGetValue(FeedAnnotations.MinShare, out string? text)
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) ? share : MinShare;

    private static bool IsAccepted(Feed feed, string digest) =>
        feed.Annotations.TryGetValue(FeedAnnotations.Accept, out string? accepted)
        && accepted.Length >= 16 && digest.StartsWith(accepted, StringComparison.OrdinalIgnoreCase);
}
