using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.Hosting;

/// <summary>The one list of rooms: what each adds and what each maps, in the order of the arrows.</summary>
internal static class Rooms
{
    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        IServiceCollection services = builder.Services;
        services.AddStorage(settings.Storage, settings.ConnectionString, settings.Data.Directory);
    }

    public static void Map(WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
    }
}
