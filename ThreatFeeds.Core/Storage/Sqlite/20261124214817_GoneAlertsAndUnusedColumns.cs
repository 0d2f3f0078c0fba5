using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Sqlite
{
    /// <inheritdoc />
    public partial class GoneAlertsAndUnusedColumns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // SQLite can do it in place; the tables would else be written anew with their indexes, and hits may be millions.
            migrationBuilder.Sql("ALTER TABLE waiting_pushes DROP COLUMN \"ReceivedAt\"");

            migrationBuilder.Sql("ALTER TABLE pushed_documents DROP COLUMN \"UpdatedAt\"");

            migrationBuilder.Sql("ALTER TABLE hits DROP COLUMN \"RecordId\"");

            migrationBuilder.Sql("ALTER TABLE alerts DROP COLUMN \"StateChangedAt\"");

            migrationBuilder.CreateTable(
                name: "gone_alerts",
                columns: table => new
                {
                    AlertId = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gone_alerts", x => x.AlertId);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "gone_alerts");

            migrationBuilder.AddColumn<DateTime>(
                name: "ReceivedAt",
                table: "waiting_pushes",
                type: "TEXT",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<DateTime>(
                name: "UpdatedAt",
                table: "pushed_documents",
                type: "TEXT",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<string>(
                name: "RecordId",
                table: "hits",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "StateChangedAt",
                table: "alerts",
                type: "TEXT",
                nullable: true);
        }
    }
}
