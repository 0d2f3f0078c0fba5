using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Sqlite
{
    /// <inheritdoc />
    public partial class BaseAndDelta : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "BaseId",
                table: "stored_sets",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "Removed",
                table: "set_chunks",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "BaseId",
                table: "stored_sets");

            migrationBuilder.DropColumn(
                name: "Removed",
                table: "set_chunks");
        }
    }
}
