namespace ThreatFeeds.Telemetry;

/// <summary>The ranges of log event ids, a hundred per room; each room's ids stand in its <c>…Log.cs</c>.</summary>
public static class EventIds
{
    public const int Pulling = 1400;
    public const int Pushing = 1500;
    public const int Alerts = 1700;
    public const int Searching = 1800;
    public const int Jobs = 2000;
    public const int Embedded = 2100;
    public const int Api = 3000;
    public const int Web = 3100;
}
