using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Demo;
using ThreatFeeds.Api.Health;
using ThreatFeeds.Api.OpenApi;

namespace ThreatFeeds.Api.Hosting;

/// <summary>Puts the process together. What tests start is what production starts.</summary>
public static class ThreatFeedsHost
{
    /// <param name="args">Settings as <c>--Key=value</c>, such as <c>--Data:Directory=…</c> and <c>--urls=…</c>; environment variables and the appsettings.json beside the program count too.</param>
    /// <exception cref="SettingsException">A setting, or a place it names, cannot work.</exception>
    public static WebApplication Build(string[] args) => Build(args, _ => { });

    /// <param name="replace">Called last, so that a test can put its clock in.</param>
    internal static WebApplication Build(string[] args, Action<IServiceCollection> replace)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            // Settings are read once: the server would move to an address written later, which nobody has checked. Last, so that nothing else can say otherwise.
            Args = [.. args, "--hostBuilder:reloadConfigOnChange=false"],
            // A folder that somebody starts the program in has no say in its settings.
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(ThreatFeedsHost).Assembly.GetName().Name,
            // Published files stand beside the executable, wherever it is started from.
            WebRootPath = Directory.Exists(ConsoleFiles) ? ConsoleFiles : null,
        });
        Settings settings = Settings.Read(builder.Configuration);
        DataFolder.Prepare(settings.Data.Directory);

        if (string.IsNullOrWhiteSpace(builder.Configuration["urls"]))
        {
            builder.WebHost.UseUrls(HttpOptions.DefaultUrl);
        }
        UseFilesOfBuild(builder);
        builder.AddLimits();
        AddOwn(builder, settings);
        Rooms.Add(builder, settings);
        replace(builder.Services);

        WebApplication app = builder.Build();
        Use(app, settings);
        return app;
    }

    /// <summary>The console's files in a published folder.</summary>
    private static string ConsoleFiles { get; } = Path.Combine(AppContext.BaseDirectory, "wwwroot");

    /// <summary>Beside a build the console's files are where they were built from, so that only who built it can serve them.</summary>
    /// <exception cref="SettingsException">They are out of reach.</exception>
    private static void UseFilesOfBuild(WebApplicationBuilder builder)
    {
        if (Directory.Exists(ConsoleFiles))
        {
            return;
        }
        try
        {
            builder.WebHost.UseStaticWebAssets();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException("The console's files are out of reach: this is a build, which only its builder can run. For others: dotnet publish ThreatFeeds.Api -c Release -o DIR.", problem);
        }
    }

    private static void AddOwn(WebApplicationBuilder builder, Settings settings)
    {
        IServiceCollection services = builder.Services;
        services.AddSingleton(settings);
        // Who asks: with no login, whoever reaches the process. One per request, so that a login has one place to say otherwise.
        services.AddScoped(_ => Actor.Local);
        services.TryAddSingleton(TimeProvider.System);
        // Keys for forms live with the data; the home folder may be missing or read-only.
        services.AddDataProtection().SetApplicationName("threatfeeds").PersistKeysToFileSystem(Directory.CreateDirectory(Path.Combine(settings.Data.Directory, "keys")));
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        VisibleLog.Add(services);
        services.AddExceptionHandler<ProblemExceptionHandler>();
        services.AddProblemDetails();
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(o => o.SerializerOptions.Converters.Add(new UtcTimeConverter()));
        OrderlyStop.Add(services, settings);
        IncomingBody.Add(services, settings.Bodies);
        services.AddSingleton<DataFolder>();
        services.AddSingleton<DatabaseMigration>().AddHostedService(p => p.GetRequiredService<DatabaseMigration>());
        services.AddTelemetry(toCollector: !string.IsNullOrWhiteSpace(settings.Hosting.OtlpEndpoint));
        services.AddApiDocument();
        services.AddDemo(settings);
    }

    private static void Use(WebApplication app, Settings settings)
    {
        app.UseHeadAsGet();
        app.UseRouting();
        app.UseResponseHeaders();
        app.UseExceptionHandler();
        OrderlyStop.Use(app);
        app.UseRequestGuards(settings.Http);
        ErrorShape.Use(app);
        IncomingBody.Use(app);
        OutgoingAnswer.Use(app);
        app.UseApiPages();
        app.MapHealth();
        app.MapApiDocument();
        app.MapDemo(settings);
        Rooms.Map(app);
    }
}
