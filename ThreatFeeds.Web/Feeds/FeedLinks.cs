namespace ThreatFeeds.Web.Feeds;

/// <summary>Addresses of pages about feeds.</summary>
internal static class FeedLinks
{
    public static string View(string name) => "/feeds/" + Uri.EscapeDataString(name);

    public static string Edit(string name) => View(name) + "/edit";

    /// <summary>Served by the REST API as a download.</summary>
    public static string Manifest(string name) => "/v1/feeds/" + Uri.EscapeDataString(name) + "/manifest";

    public static string Alerts(string name) => "/alerts?state=any&feed=" + Uri.EscapeDataString(name);

    public static string Indicator(string value) => "/indicators/" + Uri.EscapeDataString(value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value);
}
