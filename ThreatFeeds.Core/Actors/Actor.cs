namespace ThreatFeeds.Actors;

/// <summary>Who does a thing. Every call that changes something carries one.</summary>
/// <param name="Name">As histories show it.</param>
public sealed record Actor(string Name)
{
    /// <summary>Somebody who reaches a process that asks for no login.</summary>
    public static Actor Local { get; } = new("local");

    /// <summary>The process itself: schedules, searches, retention.</summary>
    public static Actor System { get; } = new("system");

    public override string ToString() => Name;
}
