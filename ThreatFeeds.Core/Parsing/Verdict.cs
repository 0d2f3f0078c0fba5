namespace ThreatFeeds.Parsing;

/// <summary>What an entry turned out to be.</summary>
internal enum VerdictKind
{
    Accepted,
    /// <summary>Valid, of the other kind.</summary>
    Skipped,
    Refused,
}

/// <param name="Reason">Why it was refused: a short stable word.</param>
internal readonly record struct Verdict(VerdictKind Kind, string? Reason)
{
    public static Verdict Accepted => new(VerdictKind.Accepted, null);

    public static Verdict Skipped => new(VerdictKind.Skipped, null);

    public static Verdict Refused(string reason) => new(VerdictKind.Refused, reason);
}
